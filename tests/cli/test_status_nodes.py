"""Whether a node lives is judged by its lease, on a clock that the tests move."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from paxect_batch.cli.status_nodes import BEATS_WATCHED, LeaseWatch, node_statuses
from paxect_batch.model.leases import Lease, Machine, Over
from paxect_batch.model.places import Root
from paxect_batch.model.status import Life, NodeStatus
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.machine import this_machine
from paxect_batch.world.share import LocalShare

ELSEWHERE = Machine(host="far", machine="m", boot="b", pid=1, started="s")


class Nodes:
    """Leases below a folder, and a watch over them whose sleep may be used."""

    def __init__(self, folder: Path) -> None:
        self.leases = LeaseFiles(str(folder))
        self._share = LocalShare({Root.STATE: str(folder)})
        self._folder = folder
        self._moment = 0.0
        self._leases: dict[str, Lease] = {}
        self.beating: set[str] = set()
        self.leaving: set[str] = set()
        self.sleeps = 0

    def join(
        self, node: str, machine: Machine = ELSEWHERE, seconds: float = 10.0
    ) -> Lease:
        lease = Lease(
            node=node,
            run=f"run-{node}",
            batch="b",
            machine=machine,
            seconds=seconds,
            since="2026-01-01T00:00:00.000Z",
        )
        assert self.leases.create(lease)
        self._leases[node] = lease
        return lease

    def write(self, node: str, data: bytes) -> None:
        folder = self._folder / "nodes" / node
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lease").write_bytes(data)

    def date(self, node: str, seconds: float) -> None:
        os.utime(self._folder / "nodes" / node / "lease", (seconds, seconds))

    def watch(self, *, now: float = 1e9) -> LeaseWatch:
        return LeaseWatch(
            self._share,
            10.0,
            monotonic=lambda: self._moment,
            sleep=self._sleep,
            now=lambda: now,
        )

    def look(self, *, now: float = 1e9) -> dict[str, NodeStatus]:
        watch = self.watch(now=now)
        self._act()
        found = node_statuses(watch.finish(), Counter({"run-a": 3}))
        return {each.node: each for each in found}

    def _sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self._moment += seconds
        self._act()

    def _act(self) -> None:
        for node in self.leaving:
            self.leases.leave(self._leases[node])
        for node in self.beating:
            before = self._leases[node]
            after = msgspec.structs.replace(before, beat=before.beat + 1)
            self.leases.beat(after, beats=[before.beat])
            self._leases[node] = after


@pytest.fixture
def nodes(tmp_path: Path) -> Nodes:
    return Nodes(tmp_path)


def ended_process() -> Machine:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return msgspec.structs.replace(this_machine(), pid=process.pid, started="1")


def test_node_that_beats_while_it_is_watched_is_alive(nodes: Nodes) -> None:
    nodes.join("a")
    nodes.beating = {"a"}
    found = nodes.look()["a"]
    assert (found.life, found.silent_seconds, found.claims) == (Life.ALIVE, 0.0, 3)
    assert found.lease is not None
    assert found.lease.beat > 0
    assert nodes.sleeps == 0


def test_node_that_does_not_beat_is_silent_after_some_beats(nodes: Nodes) -> None:
    nodes.join("a")
    found = nodes.look()["a"]
    assert (found.life, found.silent_seconds) == (Life.SILENT, BEATS_WATCHED * 1.0)


def test_node_with_a_short_lease_is_watched_for_a_short_time(nodes: Nodes) -> None:
    nodes.join("a", seconds=1.0)
    assert nodes.look()["a"].silent_seconds == pytest.approx(0.3, abs=0.1)


def test_watch_ends_when_the_last_node_is_judged(nodes: Nodes) -> None:
    nodes.join("a", seconds=1.0)
    nodes.join("b")
    nodes.beating = {"b"}
    found = nodes.look()
    assert {node: each.life for node, each in found.items()} == {
        "a": Life.SILENT,
        "b": Life.ALIVE,
    }
    assert found["a"].silent_seconds < 1.0


def test_process_of_this_machine_that_beat_of_late_is_alive_at_once(
    nodes: Nodes,
) -> None:
    nodes.join("a", this_machine())
    nodes.date("a", 1e9 - 1)
    assert nodes.look()["a"].life is Life.ALIVE
    assert nodes.sleeps == 0


def test_process_of_this_machine_that_is_stopped_is_silent(nodes: Nodes) -> None:
    nodes.join("a", this_machine())
    nodes.date("a", 1e9 - 60)
    assert nodes.look()["a"].life is Life.SILENT


def test_process_of_this_machine_that_ended_is_not_running_at_once(
    nodes: Nodes,
) -> None:
    nodes.join("a", ended_process())
    assert nodes.look()["a"].life is Life.NOT_RUNNING
    assert nodes.sleeps == 0


def test_process_of_this_machine_that_leaves_meanwhile_is_no_node(
    nodes: Nodes,
) -> None:
    nodes.join("a", ended_process())
    nodes.leaving = {"a"}
    assert nodes.look() == {}


def test_lease_that_stays_torn_is_told_as_unreadable(nodes: Nodes) -> None:
    nodes.write("a", b"")
    found = nodes.look()["a"]
    assert (found.life, found.lease, found.claims) == (Life.UNREADABLE, None, 0)


def test_lease_that_was_torn_for_a_moment_is_read_again(nodes: Nodes) -> None:
    nodes.write("a", b"{")
    watch = nodes.watch()
    lease = nodes.join("b")
    nodes.write("a", msgspec.json.encode(msgspec.structs.replace(lease, node="a")))
    life, sight = watch.finish()["a"]
    assert life is Life.ALIVE
    assert sight.lease is not None


def test_what_is_no_node_is_passed_over(nodes: Nodes, tmp_path: Path) -> None:
    (tmp_path / "nodes" / "manifest-only").mkdir(parents=True)
    (tmp_path / "nodes" / ".paxect-0.tmp").write_bytes(b"")
    (tmp_path / "nodes" / "file").write_bytes(b"")
    (tmp_path / "nodes" / "link-to-itself").symlink_to("link-to-itself")
    assert nodes.look() == {}


def test_node_that_no_listing_shows_is_watched_if_it_is_named(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.join("a", seconds=0.5)
    monkeypatch.setattr(LeaseFiles, "nodes", lambda _, **__: [])
    assert nodes.look() == {}
    watch = nodes.watch()
    watch.include(["a", "..", "", "b/c", "never-here"])
    assert {node: life for node, (life, _) in watch.finish().items()} == {
        "a": Life.SILENT
    }


def test_run_that_is_over_is_told_with_the_node_that_recovers_it(
    nodes: Nodes,
) -> None:
    dead = nodes.join("dead")
    forgotten = nodes.join("forgotten")
    rescuer = nodes.join("north")
    for lease, by in ((dead, rescuer.run), (forgotten, "run-gone")):
        paper = nodes.leases.read(lease.node)
        assert paper is not None
        over = nodes.leases.end(lease.node, paper, by)
        assert over == Over(lease.node, lease.run)
    nodes.beating = {"north"}
    watch = nodes.watch()
    found = node_statuses(watch.finish(), Counter())
    assert [each.node for each in found] == ["north"]
    rescues = {each.node: each for each in watch.over(found)}
    assert rescues["dead"].rescuer_node == "north"
    assert (rescues["forgotten"].rescuer_run, rescues["forgotten"].rescuer_node) == (
        "run-gone",
        "",
    )
