"""Runs of a node: watching, stopping, peers, dying workers, a share in trouble."""

from __future__ import annotations

import errno
import json
import os
import time
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest
from relay_bench import (
    FAST,
    Bench,
    FreeLocks,
    InThread,
    StopAfter,
    WatchedShare,
    files_below,
)
from relay_samples import manifest_of

from paxect_batch.model.errors import ConfigError, NotReady, RunOver, ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Mode
from paxect_batch.model.nodes import NodeManifest
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.handshake import signed
from paxect_batch.seams import Applicant, WorkerDied


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class DyingExecutor(InThread):
    """Its workers die with every lot that holds the name."""

    def __init__(self, share: object, name: str, deaths: int) -> None:
        super().__init__(share)
        self._name = name
        self._deaths = deaths

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        if self._deaths and any(t.source.name == self._name for t in lot.tasks):
            self._deaths -= 1
            future: Future[tuple[Outcome, ...]] = Future()
            future.set_exception(WorkerDied())
            return future
        return super().submit(lot)


@pytest.mark.parametrize(("deaths", "delivered"), [(1, 3), (2, 2), (99, 2)])
def test_item_that_kills_its_worker_twice_is_set_aside_and_others_go_on(
    bench: Bench, deaths: int, delivered: int
) -> None:
    for name in ("a", "deadly", "z"):
        bench.drop(name, b"data")
    share = bench.share()
    standing = bench.drain(share, executor=DyingExecutor(share, "deadly", deaths))
    assert standing.delivered_files == delivered
    assert standing.set_aside_files == 3 - delivered
    assert bench.events.named(Event.WORKER_DIED)
    assert bench.whole_somewhere() == set()


def test_drain_ends_with_share_error_when_the_share_is_full(bench: Bench) -> None:
    bench.drop("a", b"data")

    def fail(number: int, name: str) -> None:
        if name == "create":
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ShareError) as caught:
        bench.drain(WatchedShare(bench.share(), before=fail))
    assert caught.value.errno == errno.ENOSPC
    assert "items are as they were; make room on the share" in caught.value.message
    bench.drain()
    bench.check_delivered_once()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("outbox/d/a.txt",), "gave Read-only (outbox/d/a.txt);"),
        (("wire/a", None, "wire/b"), "gave Read-only (wire/a -> wire/b);"),
        (("log\n\udc80",), "gave Read-only (log\\x0a\\udc80);"),
        ((), "gave Read-only; items"),
    ],
)
def test_failure_of_the_share_is_told_with_its_places(
    bench: Bench, names: tuple[str, ...], told: str
) -> None:
    bench.drop("a", b"data")

    def fail(number: int, name: str) -> None:
        if name == "make_folder":
            raise OSError(errno.EROFS, "Read-only", *names)

    with pytest.raises(ShareError) as caught:
        bench.drain(WatchedShare(bench.share(), before=fail))
    assert told in caught.value.message


def test_stop_drops_what_is_staged_and_a_later_drain_delivers(bench: Bench) -> None:
    for number in range(40):
        bench.drop(f"f{number}", b"x")
    for looks in range(1, 120, 7):
        standing = bench.drain(stop=StopAfter(looks))
        assert bench.whole_somewhere() == set()
        assert standing.seen_files >= standing.delivered_files
    bench.drain()
    bench.check_delivered_once()


def test_policy_that_cannot_be_meant_stops_a_run_before_it_begins(bench: Bench) -> None:
    def policy() -> Policy:
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        bench.node(read_policy=policy).run()
    bench.ledger.close()


def test_second_run_of_a_node_is_refused(bench: Bench) -> None:
    class Held(FreeLocks):
        def join(self, applicant: Applicant) -> str:
            raise NotReady(f"another run holds node {applicant.node}")

    with pytest.raises(NotReady, match="another run holds"):
        bench.node(locks=Held()).run()
    bench.ledger.close()


def test_items_claimed_by_others_are_theirs_to_account_for_and_not_touched(
    bench: Bench,
) -> None:
    class Taken(FreeLocks):
        def claim(self, key: str) -> None:
            return None

    bench.drop("a", b"data")
    standing = bench.drain(locks=Taken())
    assert (standing.seen_files, standing.elsewhere_files) == (0, 1)
    assert standing.elsewhere_bytes == 4
    assert standing.claims_tried == standing.claims_lost > 0
    assert (bench.inbox / "a").exists()


def test_deadline_stops_claiming_and_finishes_what_was_begun(bench: Bench) -> None:
    bench.drop("a", b"data")
    standing = bench.drain(deadline_seconds=0.0)
    assert (standing.stopped, standing.delivered_files) == ("deadline", 0)


def _peer(bench: Bench, node: str, key: bytes | None) -> None:
    folder = bench.state / "nodes" / node
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(
        msgspec.json.encode(signed(manifest_of(node), key))
    )


def test_peers_are_judged_and_the_rejected_ones_containers_barred(bench: Bench) -> None:
    policy = msgspec.structs.replace(FAST, require_sig=True)
    _peer(bench, "good", b"secret")
    _peer(bench, "evil", b"wrong")
    _peer(bench, "plain", None)
    for name in ("good", "evil", "plain"):
        bench.drop(f"from-{name}", name.encode())
        bench.drain(name=name, mode=Mode.ENCODE)
    bench.drop("own", b"own")
    bench.events.lines.clear()
    standing = bench.drain(policy=policy, key=b"secret")
    bench.take_all()
    assert sorted(name for name, _ in bench.taken) == ["from-good", "own"]
    assert standing.blocked_files == 2
    assert len(bench.events.named(Event.HANDSHAKE)) == 1
    assert len(bench.events.named(Event.HANDSHAKE_REJECT)) == 2


def test_manifest_is_written_signed_and_a_torn_one_of_a_peer_is_told(
    bench: Bench,
) -> None:
    folder = bench.state / "nodes" / "torn"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"{")
    own = NodeManifest("now", "node", "linux", "p", "i", "o", "1")
    bench.drain(key=b"secret", manifest=own)
    written = json.loads((bench.state / "nodes/node/manifest.json").read_bytes())
    assert written["payload"]["node"] == "node"
    assert len(written["hmac_sha256"]) == 64
    assert bench.events.named(Event.HANDSHAKE_PARSE_ERROR)


def test_crumbs_of_an_earlier_run_are_swept(bench: Bench) -> None:
    stage = bench.state / "stage" / "node" / "earlier"
    stage.mkdir(parents=True)
    (stage / "0123-0.part").write_bytes(b"half")
    bench.drain()
    assert files_below(stage) == []
    assert bench.events.named(Event.SWEPT)


def test_what_was_written_for_a_moment_is_swept_when_it_is_old(bench: Bench) -> None:
    names = ("", "attempts", "claims", "nodes", "nodes/node", "over")
    folders = [bench.state / name for name in names]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for age_seconds in (0, 7200):
            path = folder / f".paxect-{age_seconds}.tmp"
            path.write_bytes(b"")
            then = time.time() - age_seconds
            os.utime(path, (then, then))
    bench.drain()
    left = {path.name for folder in folders for path in folder.glob(".paxect-*")}
    assert left == {".paxect-0.tmp"}  # its maker may live


@pytest.mark.parametrize("failing", ["rename_new", "sync_folder", "create"])
def test_share_that_fails_because_others_swept_the_run_is_no_trouble_of_the_share(
    bench: Bench, failing: str
) -> None:
    """Woken after its lease was over, a run finds its stages gone."""

    class Lost(FreeLocks):
        swept = False

        def stands(self) -> bool:
            return not self.swept

    locks = Lost()

    def sweep(number: int, name: str) -> None:
        if name == failing and files_below(bench.state / "stage"):
            locks.swept = True
            raise OSError(errno.ESTALE, "Stale file handle")

    bench.drop("a", b"data")
    with pytest.raises(RunOver):
        bench.node(WatchedShare(bench.share(), before=sweep), locks=locks).run()
    bench.ledger.close()
    assert files_below(bench.state / "attempts") == []
    bench.drain()
    assert [path.name for path in files_below(bench.outbox)] == ["a"]


def test_stop_in_the_middle_counts_every_item_it_saw(tmp_path: Path) -> None:
    for looks in range(5, 60, 3):
        folder = tmp_path / str(looks)
        folder.mkdir()
        bench = Bench(folder)
        for number in range(30):
            bench.drop(f"f{number}", b"x")
        standing = bench.drain(stop=StopAfter(looks))
        # On a share where nothing lay on the wire before, what does is this run's.
        on_the_wire = len([p for p in files_below(bench.wire) if p.suffix == ".freq"])
        waiting = standing.seen_files - standing.delivered_files
        assert waiting >= on_the_wire
