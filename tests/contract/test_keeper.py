"""What keeps a lease alive, without its thread: what it finds and what it does."""

from __future__ import annotations

from pathlib import Path

from paxect_batch.model.leases import Lease, Machine
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles

ELSEWHERE = Machine(host="elsewhere", machine="m", boot="b", pid=1, started="1")


def lease_of(node: str, *, run: str = "", machine: Machine = ELSEWHERE) -> Lease:
    run = run or f"run-of-{node}"
    return Lease(node=node, run=run, batch=run, machine=machine, seconds=60.0, since="")


def kept(files: LeaseFiles, node: str) -> Keeper:
    lease = lease_of(node)
    assert files.create(lease)
    return Keeper(files, lease)


def end(files: LeaseFiles, node: str, rescuer: str) -> None:
    judged = files.read(node)
    assert judged is not None
    assert files.end(node, judged, rescuer) is not None


def test_lease_that_is_lost_before_its_run_joined_a_batch_is_found_lost(
    tmp_path: Path,
) -> None:
    """As when a machine is frozen just there."""
    files = LeaseFiles(str(tmp_path))
    keeper = kept(files, "node1")
    end(files, "node1", "rescuer")
    keeper.join_batch("a-batch")
    assert keeper.lost
    assert not keeper.stands()
