"""A node's own lease, as what keeps it alive believes in it: stands, or is lost."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from lease_samples import SHORT_SECONDS, end, kept, lease_of
from stages import refusing

from paxect_batch.model.leases import Lease, Word
from paxect_batch.seams import Applicant
from paxect_batch.world import keeper as keeper_module
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LEASE_BYTES, LeaseFiles, parse
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.machine import this_machine


def test_lease_that_is_lost_before_its_run_joined_a_batch_is_found_lost(
    files: LeaseFiles,
) -> None:
    """As when a machine is frozen just there."""
    keeper = kept(files, "node1")
    end(files, "node1", "rescuer")
    keeper.join_batch("a-batch")
    assert keeper.lost
    assert not keeper.stands()


@pytest.mark.parametrize("failing", ["open", "write", "fsync"])
def test_beat_that_failed_and_may_be_there_all_the_same_loses_no_lease(
    files: LeaseFiles, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    keeper = kept(files, "node1")
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(os, failing, refusing(errno.EIO))
            with pytest.raises(OSError, match="Input/output"):
                keeper._beat()
        keeper._beat()
        assert not keeper.lost
        assert keeper.stands()
    paper = files.read("node1")
    assert paper is not None
    assert parse(paper) == keeper.own


def test_word_that_is_too_long_for_a_lease_loses_its_texts_only(
    files: LeaseFiles,
) -> None:
    lease = lease_of("node1")
    assert files.create(lease)
    word = Word(doing="relaying", last="x" * LEASE_BYTES, delivered_files=7)
    files.beat(msgspec.structs.replace(lease, beat=1, word=word), beats=[lease.beat])
    paper = files.read("node1")
    assert paper is not None
    assert len(paper) == LEASE_BYTES
    written = parse(paper)
    assert written is not None
    assert written.word == Word(doing="relaying", delivered_files=7)


def test_lease_of_another_run_or_machine_is_not_ones_own(files: LeaseFiles) -> None:
    keeper = kept(files, "node1")
    assert keeper.stands()
    end(files, "node1", "rescuer")
    assert files.create(lease_of("node1", run="of-the-next"))
    assert not keeper.stands()
    copy = lease_of("node1", run="of-the-next", machine=this_machine())
    assert not Keeper(files, copy).stands()


def test_lost_lease_is_not_given_back(files: LeaseFiles) -> None:
    """Who has the node by now would lose it."""
    lease = lease_of("node1")
    assert files.create(lease)
    end(files, "node1", "rescuer")
    assert files.create(lease_of("node1", run="of-the-next"))
    files.leave(lease)
    assert files.read("node1") is not None


def test_belief_in_the_lease_does_not_outlast_a_suspended_machine(
    files: LeaseFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of other clocks stands still while it is suspended."""
    seconds = [1000.0]
    monkeypatch.setattr(keeper_module, "lasting", lambda: seconds[0])
    keeper = kept(files, "node1")
    assert keeper.stands(within_seconds=0.1)
    end(files, "node1", "run-of-another")
    assert keeper.stands(within_seconds=0.1)
    seconds[0] += 3600.0
    assert not keeper.stands(within_seconds=0.1)


def test_lease_on_a_share_that_was_laid_out_anew_is_lost(
    files: LeaseFiles, tmp_path: Path
) -> None:
    """A watch waited for the share to come back, which was there."""
    keeper = kept(files, "node1")
    shutil.rmtree(tmp_path / "nodes")
    assert not keeper.stands()


def test_lease_of_a_share_that_is_away_is_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    keeper = kept(LeaseFiles(str(folder)), "node1")
    folder.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        keeper.stands()
    (tmp_path / "away").rename(folder)
    assert keeper.stands()


@pytest.mark.parametrize("times", [1, 3, 4])
def test_run_begins_once_it_has_read_the_leases_of_all_others(
    files: LeaseFiles, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """As on SMB, where what is written at that instant may not be read."""
    assert files.create(lease_of("other"))
    own = lease_of("me", machine=this_machine(), seconds=SHORT_SECONDS)
    assert files.create(own)
    keeper, read, failures = Keeper(files, own), files.read, [errno.EIO] * times

    def reads(node: str) -> bytes | None:
        if node == "other" and failures:
            raise OSError(failures.pop(), "not now")
        return read(node)

    monkeypatch.setattr(files, "read", reads)
    if times == 4:
        with pytest.raises(OSError, match="not now"):
            keeper.start()
        return
    keeper.start()
    keeper.stop()
    assert [lease.node for lease in keeper.others] == ["other"]


def test_run_that_begins_finds_the_promises_of_a_node_without_a_lease(
    files: LeaseFiles, tmp_path: Path
) -> None:
    (tmp_path / "intents" / "gone" / "run-of-gone").mkdir(parents=True)
    keeper = kept(files, "me")
    keeper.start()
    keeper.stop()
    assert [over.run for over in keeper.take_over()] == ["run-of-gone"]


def test_lease_that_is_there_and_cannot_be_had_is_the_shares_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a handle that stays stale: a person must hear of it."""
    monkeypatch.setattr(LeaseFiles, "create", lambda files, lease: False)
    locks = FileLocks(str(tmp_path), lease_seconds=SHORT_SECONDS)
    with pytest.raises(OSError, match="lease of node 'node1'"):
        locks.join(Applicant(node="node1", run="run"))


def test_lease_that_is_given_back_as_it_is_asked_for_is_had_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, refusals = LeaseFiles.create, [False, False]

    def created(files: LeaseFiles, lease: Lease) -> bool:
        return refusals.pop() if refusals else create(files, lease)

    monkeypatch.setattr(LeaseFiles, "create", created)
    locks = FileLocks(str(tmp_path), lease_seconds=SHORT_SECONDS)
    locks.join(Applicant(node="node1", run="run"))
    assert locks.stands()
    locks.leave()


def test_node_that_is_over_as_a_run_begins_is_its_business(tmp_path: Path) -> None:
    ended = msgspec.structs.replace(this_machine(), pid=2**22 + 5, started="1")
    files = LeaseFiles(str(tmp_path))
    assert files.create(lease_of("node1", machine=ended))
    locks = FileLocks(str(tmp_path))
    locks.join(Applicant(node="node2", run="run"))
    assert [over.run for over in locks.over()] == ["run-of-node1"]
    locks.leave()
