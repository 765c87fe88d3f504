"""Runs that join in one instant belong to one batch, and a dead one keeps nobody."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import msgspec
import pytest
from lease_samples import lease_of

from paxect_batch.seams import Applicant
from paxect_batch.world import batch_choice
from paxect_batch.world import claims as claims_module
from paxect_batch.world.batch_choice import KEY, is_last, join_batch
from paxect_batch.world.claims import ClaimFiles, marker_name
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks

NODES = 6


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_choice, "_PATIENCE_SECONDS", 0.2)


def joined(folder: Path, node: str) -> tuple[FileLocks, str]:
    locks = FileLocks(str(folder), lease_seconds=1.0)
    return locks, locks.join(Applicant(node=node, run=f"run-of-{node}"))


def test_runs_that_join_in_one_instant_belong_to_one_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_choice, "_PATIENCE_SECONDS", 60.0)
    begin = threading.Barrier(NODES)
    found: list[tuple[FileLocks, str]] = []

    def join(node: str) -> None:
        begin.wait()
        found.append(joined(tmp_path, node))

    threads = [
        # The later a node comes in the row, the earlier is the name of its run.
        threading.Thread(target=join, args=(f"node{NODES - number}",))
        for number in range(NODES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for locks, _ in found:
        locks.leave()
    assert len(found) == NODES
    assert len({batch for _, batch in found}) == 1


@pytest.mark.parametrize("has_lease", [False, True], ids=["left", "silent"])
def test_run_that_died_as_it_began_a_batch_keeps_nobody(
    tmp_path: Path, *, has_lease: bool
) -> None:
    if has_lease:
        lease = lease_of("dead", run="r", batch="", seconds=9.0)
        assert LeaseFiles(str(tmp_path)).create(lease)
    ClaimFiles(str(tmp_path)).take(KEY, node="dead", run="r")
    locks, batch = joined(tmp_path, "node")
    locks.leave()
    assert batch == "run-of-node"


def test_marker_without_a_maker_keeps_nobody(tmp_path: Path) -> None:
    claims = ClaimFiles(str(tmp_path))
    claims.take(KEY, node="dead", run="r")
    (marker,) = (tmp_path / "claims").glob("*.lock")
    marker.write_bytes(b"")
    locks, batch = joined(tmp_path, "node")
    locks.leave()
    assert batch == "run-of-node"


def test_marker_that_is_a_folder_keeps_nobody(tmp_path: Path) -> None:
    (tmp_path / "claims" / marker_name(KEY)).mkdir(parents=True)
    locks, batch = joined(tmp_path, "node")
    locks.leave()
    assert batch == "run-of-node"


def test_marker_that_the_share_does_not_remove_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims of the dead would keep their items for ever on such a share."""
    claims = ClaimFiles(str(tmp_path))
    claims.take(KEY, node="dead", run="r")

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(claims_module, "_drop", refuse)
    with pytest.raises(PermissionError, match=marker_name(KEY)):
        joined(tmp_path, "node")
    assert LeaseFiles(str(tmp_path)).read("node") is None


def test_marker_that_comes_back_whenever_it_is_removed_keeps_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = ClaimFiles.take

    def never(self: ClaimFiles, key: str, *, node: str, run: str) -> bool:
        return key != KEY and take(self, key, node=node, run=run)

    monkeypatch.setattr(ClaimFiles, "take", never)
    locks, batch = joined(tmp_path, "node")
    locks.leave()
    assert batch == "run-of-node"


def test_each_who_begins_a_batch_may_take_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many that start at once on a slow machine come one after the other."""
    monkeypatch.setattr(batch_choice, "_PATIENCE_SECONDS", 2.0)
    claims, leases = ClaimFiles(str(tmp_path)), LeaseFiles(str(tmp_path))
    living = [lease_of(f"node{number}", batch="") for number in range(4)]
    for lease in living:
        assert leases.create(lease)
    own, *others = living
    claims.take(KEY, node=others[0].node, run=others[0].run)

    def wait() -> float:
        claims.give_back(KEY, run=others[0].run)
        del others[0]
        if others:
            claims.take(KEY, node=others[0].node, run=others[0].run)
        return 1.5

    assert join_batch(Keeper(leases, own), leases, claims, wait=wait) == own.run
    assert not others, "the marker was taken from one who lives"


def test_each_of_two_batches_has_a_last_run_that_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are two if a node froze while it began one."""
    monkeypatch.setattr(batch_choice, "_there", lambda own, leases: None)
    one, one_batch = joined(tmp_path, "node1")
    other, other_batch = joined(tmp_path, "node2")
    assert one_batch != other_batch
    assert one.leave()
    assert other.leave()


@pytest.mark.parametrize(
    ("batch", "last"), [("run-of-node1", False), ("another", True), ("", True)]
)
def test_run_that_leaves_waits_for_who_joins_to_tell_its_batch(
    tmp_path: Path, batch: str, *, last: bool
) -> None:
    leases = LeaseFiles(str(tmp_path))
    joins = lease_of("node2", batch="")
    assert leases.create(joins)
    waited: list[float] = []

    def wait() -> float:
        if not waited:
            leases.beat(
                msgspec.structs.replace(joins, batch=batch, beat=1), beats=[joins.beat]
            )
        waited.append(0.05)
        return waited[-1]

    left = lease_of("node1", batch="run-of-node1")
    assert is_last(left, leases, wait=wait) == last
    assert bool(batch) == (len(waited) == 1)
