"""What a keeper, without its thread, finds out of others, and what it does then."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest
from lease_samples import end, kept, lease_of
from stages import refusing

from paxect_batch.world import keeper as keeper_module
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.machine import this_machine


class SteppedTime:
    """The keeper's own clock, which only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> SteppedTime:
    time = SteppedTime()
    monkeypatch.setattr(keeper_module, "time", time)
    return time


def look_for(keeper: Keeper, time: SteppedTime, seconds: float) -> None:
    """Let the keeper look around each second for so long."""
    for _ in range(int(seconds)):
        time.seconds += 1.0
        keeper.look_around()


def runs(over: list[object]) -> list[str]:
    return [each.run for each in over]  # type: ignore[attr-defined]


def test_silent_node_is_over_after_its_own_lease_time_and_once(
    files: LeaseFiles, time: SteppedTime
) -> None:
    assert files.create(lease_of("node2", seconds=20.0))
    keeper = kept(files, "node1")
    keeper.look_around()
    look_for(keeper, time, 19)
    assert [lease.node for lease in keeper.others] == ["node2"]
    assert keeper.take_over() == []
    look_for(keeper, time, 1)
    assert keeper.others == ()
    assert runs(keeper.take_over()) == ["run-of-node2"]
    look_for(keeper, time, 30)
    assert keeper.take_over() == []


def test_run_whose_end_failed_and_came_all_the_same_is_taken_over_once(
    files: LeaseFiles,
    time: SteppedTime,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Everybody else leaves it to the run that the paper below over names."""
    (tmp_path / "intents/node2/promised").mkdir(parents=True)
    assert files.create(lease_of("node2"))
    keeper = kept(files, "node1")
    keeper.look_around()
    rename = os.rename

    def fail(source: str, target: str) -> None:
        rename(source, target)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        look_for(keeper, time, 60)
    assert runs(keeper.take_over()) == ["run-of-node2", "promised"]
    look_for(keeper, time, 60)
    assert keeper.take_over() == []


def test_run_that_has_its_lease_back_is_nobodys_though_its_paper_could_not_go(
    files: LeaseFiles, time: SteppedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    beaten = lease_of("node2", seconds=60.0)
    assert files.create(beaten)
    judged = files.read("node2")
    assert judged is not None
    files.beat(msgspec.structs.replace(beaten, beat=beaten.beat + 1), beats=[0])
    keeper = kept(files, "node1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refusing(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            files.end("node2", judged, "run-of-node1")
    look_for(keeper, time, 30)
    assert keeper.take_over() == []
    look_for(keeper, time, 60)
    assert runs(keeper.take_over()) == ["run-of-node2"]


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_run_without_a_lease_that_could_not_be_noted_is_noted_later(
    files: LeaseFiles,
    time: SteppedTime,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    failing: str,
) -> None:
    (tmp_path / "intents/node2/promised").mkdir(parents=True)
    assert files.create(lease_of("node2"))
    keeper = kept(files, "node1")
    keeper.look_around()
    with monkeypatch.context() as patch:
        patch.setattr(os, failing, refusing(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            look_for(keeper, time, 60)
    assert runs(keeper.take_over()) == ["run-of-node2"]
    look_for(keeper, time, 1)
    assert runs(keeper.take_over()) == ["promised"]
    look_for(keeper, time, 60)
    assert keeper.take_over() == []


def test_node_is_unheard_until_it_beats_or_is_over_and_taken(
    files: LeaseFiles, time: SteppedTime
) -> None:
    beats, silent = lease_of("node2"), lease_of("node3")
    assert files.create(beats)
    keeper = kept(files, "node1")
    keeper.look_around()
    assert keeper.has_unheard
    files.beat(msgspec.structs.replace(beats, beat=1), beats=[beats.beat])
    look_for(keeper, time, 1)
    assert not keeper.has_unheard
    assert files.create(silent)
    look_for(keeper, time, 60)
    assert keeper.has_unheard
    look_for(keeper, time, 1)
    assert keeper.others == ()
    assert keeper.has_unheard, "both are over, and nobody recovered them"
    keeper.take_over()
    assert not keeper.has_unheard


def test_node_that_runs_on_this_machine_need_not_be_heard(files: LeaseFiles) -> None:
    assert files.create(lease_of("node2", machine=this_machine()))
    keeper = kept(files, "node1")
    keeper.look_around()
    assert not keeper.has_unheard


def test_node_that_beats_lives_for_as_long_as_it_does(
    files: LeaseFiles, time: SteppedTime
) -> None:
    lease = lease_of("node2", seconds=2.0)
    assert files.create(lease)
    keeper = kept(files, "node1")
    for _ in range(50):
        beaten = msgspec.structs.replace(lease, beat=lease.beat + 1)
        files.beat(beaten, beats=[lease.beat])
        lease = beaten
        look_for(keeper, time, 1)
    assert [other.beat for other in keeper.others] == [50]
    assert keeper.take_over() == []


def test_keeper_that_slept_judges_nobody_by_its_sleep(
    files: LeaseFiles, time: SteppedTime
) -> None:
    assert files.create(lease_of("node2", seconds=20.0))
    keeper = kept(files, "node1")
    keeper.look_around()
    time.seconds += 3600.0
    keeper.look_around()
    assert keeper.take_over() == []
    assert [lease.node for lease in keeper.others] == ["node2"]


def test_node_whose_process_ended_on_this_system_is_over_at_once(
    files: LeaseFiles, time: SteppedTime
) -> None:
    gone = msgspec.structs.replace(this_machine(), started="long ago")
    assert files.create(lease_of("node2", machine=gone))
    assert files.create(lease_of("node3", machine=this_machine()))
    lease = lease_of("node1", machine=this_machine())
    assert files.create(lease)
    keeper = Keeper(files, lease)
    keeper.look_around()
    assert runs(keeper.take_over()) == ["run-of-node2"]
    assert [other.node for other in keeper.others] == ["node3"]


def test_lease_without_content_is_over_after_the_judges_own_lease_time(
    files: LeaseFiles, time: SteppedTime, tmp_path: Path
) -> None:
    keeper = kept(files, "node1")
    path = tmp_path / "nodes/node2/lease"
    path.parent.mkdir()
    path.write_bytes(b"")
    keeper.look_around()
    look_for(keeper, time, 59)
    assert path.exists()
    assert keeper.others == ()
    look_for(keeper, time, 1)
    assert not path.exists()
    assert keeper.take_over() == []


def test_node_that_left_and_came_back_is_judged_anew(
    files: LeaseFiles, time: SteppedTime
) -> None:
    lease = lease_of("node2", seconds=5.0)
    assert files.create(lease)
    keeper = kept(files, "node1")
    look_for(keeper, time, 4)
    files.leave(lease)
    look_for(keeper, time, 1)
    assert keeper.others == ()
    assert files.create(lease)
    look_for(keeper, time, 4)
    assert [other.node for other in keeper.others] == ["node2"]
    assert keeper.take_over() == []


def test_rescue_is_adopted_when_its_rescuer_lives_no_more(
    files: LeaseFiles, time: SteppedTime
) -> None:
    assert files.create(lease_of("node2"))
    assert files.create(lease_of("node3"))
    end(files, "node3", "run-of-node2")
    keeper = kept(files, "node1")
    keeper.look_around()
    assert keeper.take_over() == []
    end(files, "node2", "run-of-node1")
    keeper.look_around()
    assert set(runs(keeper.take_over())) == {"run-of-node2", "run-of-node3"}
    assert {rescuer for _, rescuer in files.over()} == {"run-of-node1"}


def test_papers_that_are_none_are_nobodys_business(
    files: LeaseFiles, tmp_path: Path
) -> None:
    assert files.create(lease_of("node1"))
    end(files, "node1", "rescuer")
    over = tmp_path / "over"
    paper = (over / "run-of-node1~rescuer").read_bytes()
    (over / "odd").write_bytes(paper)
    (over / "another-run~rescuer").write_bytes(paper)
    (over / "torn~rescuer").write_bytes(paper[:50])
    ((found, rescuer),) = files.over()
    assert (found.run, rescuer) == ("run-of-node1", "rescuer")
    assert files.adopt(found, "rescuer", "one")
    assert not files.adopt(found, "rescuer", "two")
    files.bury(found, "two")
    assert [name for _, name in files.over()] == ["one"]
    files.bury(found, "one")
    assert list(files.over()) == []


def test_paper_that_names_nobody_is_forgotten_unless_its_run_promised(
    files: LeaseFiles, tmp_path: Path
) -> None:
    """As when a power cut took the bytes of a lease, or brought back its paper."""
    over = tmp_path / "over"
    over.mkdir()
    (tmp_path / "intents/node2/promised").mkdir(parents=True)
    for name in ("torn-1~a", "promised~a", "a-note"):
        (over / name).write_bytes(bytes(9))
    assert files.create(lease_of("node3"))
    end(files, "node3", "rescuer")
    # That of a run which was ended by mistake and has its lease back.
    (over / "run-1~a").write_bytes((over / "run-of-node3~rescuer").read_bytes())
    kept(files, "node1").find_orphans()
    left = {path.name for path in over.iterdir() if "node1" not in path.name}
    assert left == {"promised~a", "a-note", "run-of-node3~rescuer"}


def test_run_without_a_lease_is_over_when_the_next_of_its_node_is(
    files: LeaseFiles, time: SteppedTime, tmp_path: Path
) -> None:
    """It would have been the next one's to recover; all would wait for its items."""
    (tmp_path / "intents/node2/promised").mkdir(parents=True)
    assert files.create(lease_of("node2"))
    keeper = kept(files, "node1")
    keeper.find_orphans()
    keeper.look_around()
    assert keeper.take_over() == []
    look_for(keeper, time, 60)
    assert runs(keeper.take_over()) == ["run-of-node2", "promised"]


def test_file_beside_the_folders_of_runs_is_no_run_that_promised(
    files: LeaseFiles, tmp_path: Path
) -> None:
    """As a node leaves one that is killed while it makes a listing fresh."""
    (tmp_path / "intents/node2/promised").mkdir(parents=True)
    (tmp_path / "intents/node2/.paxect-0123456789abcdef.tmp").touch()
    keeper = kept(files, "node1")
    keeper.find_orphans()
    assert [over.run for over in keeper.take_over()] == ["promised"]
