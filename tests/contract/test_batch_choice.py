"""Runs that join in one instant belong to one batch, and a dead one keeps nobody."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from paxect_batch.model.leases import Lease, Machine
from paxect_batch.seams import Applicant
from paxect_batch.world import batch_choice
from paxect_batch.world.batch_choice import KEY
from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks

NODES = 6
ELSEWHERE = Machine(host="elsewhere", machine="m", boot="b", pid=1, started="1")


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
        lease = Lease(
            node="dead", run="r", batch="", machine=ELSEWHERE, seconds=9.0, since=""
        )
        assert LeaseFiles(str(tmp_path)).create(lease)
    ClaimFiles(str(tmp_path)).take(KEY, node="dead", run="r")
    locks, batch = joined(tmp_path, "node")
    locks.leave()
    assert batch == "run-of-node"


def test_marker_without_a_maker_keeps_nobody(tmp_path: Path) -> None:
    claims = ClaimFiles(str(tmp_path))
    claims.take(KEY, node="dead", run="r")
    (marker,) = (tmp_path / "claims").iterdir()
    marker.write_bytes(b"")
    locks, batch = joined(tmp_path, "node")
    locks.leave()
    assert batch == "run-of-node"
