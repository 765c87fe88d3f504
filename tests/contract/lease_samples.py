"""Nodes of this machine and of another for the tests of leases and claims."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paxect_batch.model.leases import Lease, Machine
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.machine import this_machine

SHORT_SECONDS = 0.6
"""A lease time for those that are to be over; whoever must stay has a long one."""
ELSEWHERE = Machine(host="elsewhere", machine="m", boot="b", pid=1, started="1")

HOLDER = """
import sys
from paxect_batch.seams import Applicant
from paxect_batch.world.locks import FileLocks
locks = FileLocks(sys.argv[1], lease_seconds=float(sys.argv[2]))
locks.join(Applicant(node="node1", run="run-of-holder"))
print("held" if locks.claim("item") else "not held", flush=True)
for line in sys.stdin:
    print("stands" if locks.stands() else "lost", flush=True)
"""


def start_holder(folder: Path, seconds: float) -> subprocess.Popen[str]:
    """Start a process that is node1 and has an item."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def lease_of(
    node: str,
    *,
    run: str = "",
    batch: str | None = None,
    machine: Machine = ELSEWHERE,
    seconds: float = 60.0,
) -> Lease:
    """Return a lease; its batch is its run's own unless another is named."""
    run = run or f"run-of-{node}"
    batch = run if batch is None else batch
    return Lease(
        node=node, run=run, batch=batch, machine=machine, seconds=seconds, since=""
    )


def kept(files: LeaseFiles, node: str) -> Keeper:
    lease = lease_of(node, machine=this_machine())
    assert files.create(lease)
    return Keeper(files, lease)


def end(files: LeaseFiles, node: str, rescuer: str) -> None:
    judged = files.read(node)
    assert judged is not None
    assert files.end(node, judged, rescuer) is not None


def wait_until(holds: Callable[[], object]) -> None:
    """Wait until what is asked is true, or for a minute."""
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")
