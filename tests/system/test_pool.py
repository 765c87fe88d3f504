"""Workers that are killed from outside cost the item that they had, and no other."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections.abc import Callable

import psutil
import pytest
from dropped_files import content
from relayed_share import COMMAND, RelayedShare, finish, wait_until, workers_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL"),
]

LARGE = "large.bin"
MIB = 1 << 20


def busy_worker(process: subprocess.Popen[str]) -> Callable[[], int | None]:
    """Return what gives the worker that has the large file open, if one has."""

    def look() -> int | None:
        for worker in workers_of(process):
            try:
                paths = {os.path.basename(file.path) for file in worker.open_files()}
            except psutil.Error:
                continue
            if LARGE in paths:
                return worker.pid
        return None

    return look


def kill_busy_workers(share: RelayedShare, times: int) -> subprocess.Popen[str]:
    """Kill the worker of the large file, so many times; return the run."""
    process = share.start("--workers", "2")
    killed: set[int] = set()
    look = busy_worker(process)
    for _ in range(times):
        assert wait_until(lambda: (look() or 0) not in {0, *killed}, process=process)
        pid = look()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    return process


def drop_a_large_and_many_small(share: RelayedShare) -> None:
    dice = random.Random(7)
    # Takes a second and more, so that its worker can be caught at it.
    share.drop(LARGE, dice.randbytes(160 * MIB))
    for number in range(50):
        share.drop(f"small-{number}", content(dice, dice.randrange(100_000)))


def test_worker_killed_twice_by_an_item_has_it_set_aside_and_others_go_on(
    share: RelayedShare,
) -> None:
    drop_a_large_and_many_small(share)
    run = finish(kill_busy_workers(share, 2))
    assert run.code == 1, run.err
    assert run.sum_closes
    assert run.audit["set_aside"] == {"files": 1, "bytes": 160 * MIB}
    large = share.dropped.pop(LARGE.encode())
    assert share.arrived() == share.dropped
    (reason_path,) = (share.state / "quarantine").glob("*/reason.json")
    reason = json.loads(reason_path.read_text())
    assert reason["code"] == "worker-killed"
    assert (reason_path.parent / LARGE).stat().st_size == 160 * MIB
    assert len(share.events("worker_died")) == 2

    again = subprocess.run(
        [*COMMAND, "quarantine", "retry", str(share.folder), "--all"],
        env=share.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    run = share.drain()
    assert run.code == 0, run.err
    assert share.arrived() == {**share.dropped, LARGE.encode(): large}


def test_worker_killed_once_costs_nothing(share: RelayedShare) -> None:
    drop_a_large_and_many_small(share)
    run = finish(kill_busy_workers(share, 1))
    assert run.code == 0, run.err
    assert run.sum_closes
    assert share.arrived() == share.dropped
    assert share.crumbs() == []


def test_coordinator_killed_takes_its_busy_workers_along(share: RelayedShare) -> None:
    drop_a_large_and_many_small(share)
    process = share.start("--workers", "2")
    assert wait_until(busy_worker(process), process=process)
    process.kill()
    finish(process)
    wait_until(lambda: share.processes() == [])


@pytest.mark.skipif(
    not hasattr(psutil.Process, "rlimit"), reason="no limits for other processes here"
)
def test_worker_out_of_memory_fails_its_item_and_others_go_on(
    share: RelayedShare,
) -> None:
    """Frames of 64 MiB cannot be had within a limit that small files never meet."""
    import resource

    policy = "frame_bytes = 67108864\nattempts = 2\n"
    share.set_policy((share.state / "policy.toml").read_text() + policy)
    drop_a_large_and_many_small(share)
    process = share.start("--workers", "1")
    assert wait_until(lambda: workers_of(process), process=process)
    for worker in workers_of(process):
        used = worker.memory_info().vms
        worker.rlimit(resource.RLIMIT_AS, (used + 48 * MIB, used + 48 * MIB))
    run = finish(process)
    assert run.sum_closes
    assert run.code in (0, 1), run.err
    large = share.dropped.pop(LARGE.encode())
    arrived = share.arrived()
    assert arrived.pop(LARGE.encode(), large) == large
    assert arrived == share.dropped
