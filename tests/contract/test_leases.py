"""Leases as files: nodes that die, freeze, come back, or are copies."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from lease_samples import SHORT_SECONDS, lease_of, start_holder, wait_until
from stages import refused

from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.model.leases import Lease, Word
from paxect_batch.seams import Applicant
from paxect_batch.world.leases import LeaseFiles, LeaseGone, parse
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.machine import is_running, process_start, this_machine


class Beating:
    """Another machine's node, which beats from a thread."""

    def __init__(self, folder: Path, lease: Lease) -> None:
        self._files = LeaseFiles(str(folder))
        self._lease = lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat)

    def __enter__(self) -> None:
        assert self._files.create(self._lease)
        self._thread.start()

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(0.01):
            lease = msgspec.structs.replace(self._lease, beat=self._lease.beat + 1)
            try:
                self._files.beat(lease, beats=[self._lease.beat])
            except LeaseGone:
                return
            self._lease = lease


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_killed_node_may_begin_again_at_once(
    joined: Callable[..., FileLocks], holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(NotReady, match="node1"):
        joined("node1")
    holder.kill()
    holder.wait()
    again = joined("node1")
    (over,) = again.over()
    assert over.run == "run-of-holder"
    assert again.claim("item") is None
    again.bury(over)
    assert again.claim("item") is not None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_killed_node_is_over_for_another_one_and_recovered_once(
    joined: Callable[..., FileLocks], holder: subprocess.Popen[str]
) -> None:
    other, third = joined("node2"), joined("node3")
    assert other.claim("item") is None
    holder.kill()
    holder.wait()
    over: list[tuple[FileLocks, object]] = []

    def is_over() -> bool:
        over.extend((locks, each) for locks in (other, third) for each in locks.over())
        return bool(over)

    wait_until(is_over)
    ((rescuer, each),) = over
    rescuer.bury(each)  # type: ignore[arg-type]
    assert other.claim("item") is not None
    time.sleep(0.05)
    assert not [*other.over(), *third.over()]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGSTOP")
def test_frozen_node_is_over_and_finds_its_lease_lost_when_it_wakes(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    other = joined("node2")
    with start_holder(tmp_path, SHORT_SECONDS) as process:
        process.send_signal(signal.SIGSTOP)
        found: list[object] = []
        wait_until(lambda: found.extend(other.over()) or found)
        process.send_signal(signal.SIGCONT)
        answer, _ = process.communicate("still there?\n")
    assert answer == "lost\n"


def test_node_of_another_machine_that_beats_keeps_its_name(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    living = Beating(tmp_path, lease_of("node1"))
    with living, pytest.raises(NotReady, match="'elsewhere'"):
        joined("node1")


def test_node_of_another_machine_that_is_silent_is_replaced(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    assert LeaseFiles(str(tmp_path)).create(lease_of("node1", seconds=SHORT_SECONDS))
    locks = joined("node1", seconds=SHORT_SECONDS)
    assert [over.run for over in locks.over()] == ["run-of-node1"]
    assert locks.stands()


def test_living_node_of_another_user_or_container_of_this_machine_is_met(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    beside = msgspec.structs.replace(this_machine(), machine="another")
    with Beating(tmp_path, lease_of("node1", machine=beside)):
        locks = joined("node2", seconds=SHORT_SECONDS)
        assert [lease.node for lease in locks.others()] == ["node1"]


def test_living_node_of_a_machine_with_this_host_name_is_not_met(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    copy = msgspec.structs.replace(this_machine(), boot="another")
    living = Beating(tmp_path, lease_of("node1", machine=copy))
    with living, pytest.raises(NotReady, match="host name"):
        joined("node2", seconds=SHORT_SECONDS)
    assert LeaseFiles(str(tmp_path)).read("node2") is None


def test_lease_from_before_a_reboot_of_this_machine_keeps_nobody_out(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    before = msgspec.structs.replace(this_machine(), boot="before")
    lease = lease_of("node1", machine=before, seconds=SHORT_SECONDS)
    assert LeaseFiles(str(tmp_path)).create(lease)
    locks = joined("node2", seconds=SHORT_SECONDS)
    assert [over.node for over in locks.over()] == ["node1"]


def test_process_id_that_is_used_again_is_not_the_process_that_had_it(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    here = this_machine()
    assert is_running(here)
    before = msgspec.structs.replace(here, started="long ago")
    assert not is_running(before)
    assert LeaseFiles(str(tmp_path)).create(lease_of("node1", machine=before))
    assert [over.node for over in joined("node1").over()] == ["node1"]


def test_process_start_of_no_process_is_none() -> None:
    assert process_start(2**22 + 1) is None


@pytest.mark.parametrize("field", ["codec", "policy_sha256"])
def test_node_that_would_mix_a_batch_is_refused_unless_that_is_meant(
    joined: Callable[..., FileLocks], field: str
) -> None:
    joined("node1", **{field: "one"})
    with pytest.raises(ConfigError, match="--allow-mixed"):
        joined("node2", **{field: "another"})
    joined("node2", **{field: "another"}, allow_mixed=True)


def test_process_that_believes_to_be_the_same_run_ends_both(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    """As after a virtual machine was copied while its node ran."""
    locks = joined("node1", seconds=SHORT_SECONDS)
    path = tmp_path / "nodes" / "node1" / "lease"
    lease = parse(path.read_bytes())
    assert lease is not None
    copied = msgspec.structs.replace(lease, beat=lease.beat + 1000)
    path.write_bytes(msgspec.json.encode(copied).ljust(4095) + b"\n")
    wait_until(lambda: not locks.stands())
    assert locks.claim("item") is None
    # What either has promised is settled once nobody beats here any more.
    locks.leave()
    assert path.exists()


def test_lease_that_beat_since_it_was_judged_stays(tmp_path: Path) -> None:
    files = LeaseFiles(str(tmp_path))
    lease = lease_of("node1")
    assert files.create(lease)
    judged = files.read("node1")
    assert judged is not None
    beaten = msgspec.structs.replace(lease, beat=1)
    files.beat(beaten, beats=[lease.beat])
    assert files.end("node1", judged, "rescuer") is None
    files.look(beaten, beats=[beaten.beat])
    assert list(files.over()) == []


def test_lease_is_ended_by_one_of_two(tmp_path: Path) -> None:
    files = LeaseFiles(str(tmp_path))
    lease = lease_of("node1")
    assert files.create(lease)
    judged = files.read("node1")
    assert judged is not None
    assert files.end("node1", judged, "one") is not None
    assert files.end("node1", judged, "other") is None
    assert [rescuer for _, rescuer in files.over()] == ["one"]
    with pytest.raises(LeaseGone):
        files.beat(msgspec.structs.replace(lease, beat=1), beats=[lease.beat])


def test_lease_without_content_is_over_after_its_time_and_leaves_no_business(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    folder = tmp_path / "nodes" / "node1"
    folder.mkdir(parents=True)
    (folder / "lease").write_bytes(b"")
    locks = joined("node1", seconds=SHORT_SECONDS)
    assert locks.over() == []
    assert os.listdir(tmp_path / "over") == []


def test_rescue_whose_rescuer_died_is_adopted(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    files = LeaseFiles(str(tmp_path))
    assert files.create(lease_of("node1"))
    judged = files.read("node1")
    assert judged is not None
    assert files.end("node1", judged, "a-run-that-died-too") is not None
    (over,) = joined("node2").over()
    assert over.run == "run-of-node1"


def test_file_of_a_moment_beside_the_nodes_is_no_node(tmp_path: Path) -> None:
    files = LeaseFiles(str(tmp_path))
    assert files.create(lease_of("node1"))
    (tmp_path / "nodes/.paxect-0123456789abcdef.tmp").touch()
    assert files.nodes(fresh=True) == ["node1"]


def test_lease_that_cannot_be_read_once_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on SMB after a machine was frozen or cut off."""
    files = LeaseFiles(str(tmp_path))
    assert files.create(lease_of("node1"))
    read, times = LeaseFiles._read, [0]

    def failing(self: LeaseFiles, node: str) -> bytes | None:
        times[0] += 1
        if times[0] == 1:
            raise OSError(errno.EINVAL, "Invalid argument")
        return read(self, node)

    monkeypatch.setattr(LeaseFiles, "_read", failing)
    assert files.read("node1") is not None
    assert times == [2]


def test_word_is_said_with_the_next_beat(joined: Callable[..., FileLocks]) -> None:
    one, other = joined("node1", seconds=1.0), joined("node2", seconds=1.0)
    one.tell(Word(doing="relaying", last="x" * 10_000), "another policy")
    wait_until(lambda: [lease.word.doing for lease in other.others()] == ["relaying"])
    assert [lease.policy_sha256 for lease in other.others()] == ["another policy"]


def test_run_that_waits_for_a_dead_one_can_be_stopped(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    assert LeaseFiles(str(tmp_path)).create(lease_of("node1"))
    with pytest.raises(NotReady, match="stopped"):
        joined("node1", is_stopping=lambda: True)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "nul\0"])
def test_node_name_that_leads_elsewhere_is_refused(
    joined: Callable[..., FileLocks], name: str
) -> None:
    with refused(errno.EINVAL):
        joined(name)


def test_who_leaves_leaves_nothing_but_the_nodes_folder(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    locks = joined("node1")
    assert locks.claim("item") is not None
    locks.leave()
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*"))
    assert left == ["claims", "nodes", "nodes/node1"]


def test_no_share_is_made_by_joining(tmp_path: Path) -> None:
    locks = FileLocks(str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError):
        locks.join(Applicant(node="node1", run="run"))
    assert os.listdir(tmp_path) == []


def test_machine_without_a_temporary_folder_is_told_apart_from_a_bad_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> str:
        # As in a container whose root is read-only, without a /tmp of its own.
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", refuse)
    with pytest.raises(NotReady) as caught:
        FileLocks(str(tmp_path)).join(Applicant(node="node1", run="a"))
    assert "TMPDIR" in caught.value.message


def test_run_lock_of_ones_own_is_one_for_all_nodes(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    one = FileLocks(str(tmp_path), run_lock=path)
    one.join(Applicant(node="node1", run="a"))
    with pytest.raises(NotReady, match="lock"):
        FileLocks(str(tmp_path), run_lock=path).join(Applicant(node="node2", run="b"))
    one.leave()


def test_run_that_was_taken_over_as_one_joined_is_not_again_when_it_joins_anew(
    tmp_path: Path,
) -> None:
    machine = msgspec.structs.replace(this_machine(), pid=2**22 + 5, started="1")
    assert LeaseFiles(str(tmp_path)).create(lease_of("dead", machine=machine))
    locks = FileLocks(str(tmp_path), lease_seconds=1.0)
    locks.join(Applicant(node="node1", run="first"))
    (over,) = locks.over()
    locks.bury(over)
    locks.leave()
    locks.join(Applicant(node="node1", run="second"))
    assert locks.over() == []
    locks.leave()
