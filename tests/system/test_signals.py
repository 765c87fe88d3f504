"""Signals end a run well at any moment, a second one at once, and SIGHUP the log."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from dropped_files import content, odd_name
from relayed_share import (
    LONG,
    NODE,
    Consumer,
    Finished,
    RelayedShare,
    counted,
    digests_below,
    finish,
    wait_until,
)

from paxect_batch.model.leases import Lease, Machine
from paxect_batch.world.leases import LeaseFiles

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals"),
]

MOMENTS = 50 if LONG else 5
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


def drop_some(share: RelayedShare, dice: random.Random) -> None:
    for number in range(40):
        large = number % 4 == 0
        size = dice.randrange(1 << 20, 3 << 19) if large else dice.randrange(9000)
        share.drop(odd_name(dice, number), content(dice, size))


def await_beginning(
    share: RelayedShare, process: subprocess.Popen[str], times: int = 1
) -> bool:
    return wait_until(lambda: len(share.events("startup")) >= times, process=process)


def check_stopped(share: RelayedShare, run: Finished, number: signal.Signals) -> bool:
    """Look whether a run ended well; tell whether it was stopped."""
    assert run.code in (0, CODES[number]), run.err
    assert run.audit["exit_code"] == run.code
    assert run.sum_closes
    assert digests_below(share.state / "stage") == {}
    assert share.processes() == []
    return run.code != 0


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_signal_at_seeded_moments_stops_well_and_a_later_drain_completes(
    share: RelayedShare, number: signal.Signals
) -> None:
    dice = random.Random(f"moments/{number}")
    moments = starts = 0
    with Consumer(share, share.folder.parent / "taken") as consumer:
        while moments < MOMENTS:
            drop_some(share, random.Random(starts))
            run = None
            for _ in range(3):  # several in a row before one may finish
                starts += 1
                process = share.start()
                await_beginning(share, process, starts)
                time.sleep(dice.uniform(0, 0.5))
                process.send_signal(number)
                run = finish(process)
                moments += check_stopped(share, run, number)
            starts += 1
            run = share.drain()
            assert run.code == 0, run.err
            assert run.audit["waiting"]["files"] == 0
            assert share.crumbs() == []
            wait_until(lambda: consumer.count >= len(share.dropped))
            assert counted(consumer.found, share.dropped) == []
            share.dropped.clear()
            consumer.found.clear()


def catches_signals(process: subprocess.Popen[str]) -> bool:
    (line,) = [
        line
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if line.startswith("SigCgt:")
    ]
    # Python itself catches SIGINT, from its own beginning.
    return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc here")
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_signal_while_an_earlier_run_of_the_node_is_waited_for_ends_with_its_code(
    share: RelayedShare, number: signal.Signals
) -> None:
    """What `systemctl restart` sends to a node of a machine that was just rebuilt."""
    elsewhere = Machine(host="far", machine="m", boot="b", pid=1, started="s")
    since = "2026-01-01T00:00:00.000Z"
    lease = Lease(NODE, "earlier", "batch", elsewhere, 30.0, since)
    assert LeaseFiles(str(share.state)).create(lease)
    process = share.start()
    wait_until(lambda: catches_signals(process), process=process)
    process.send_signal(number)
    run = finish(process)
    assert (run.code, run.out) == (CODES[number], "")
    assert "stopped while it was waiting" in run.err
    assert share.events("startup") == []


def start_with_a_large_file(share: RelayedShare) -> subprocess.Popen[str]:
    """Start a run; return when a worker is in the middle of a file."""
    share.drop("large", content(random.Random(2), 64 << 20))
    process = share.start("--workers", "1")
    stage = share.state / "stage"
    assert wait_until(
        lambda: any(size > 0 for size in sizes_below(stage)), process=process
    )
    return process


def sizes_below(folder: Path) -> list[int]:
    found = []
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                found.append(os.stat(os.path.join(above, name)).st_size)
            except FileNotFoundError:
                continue
    return found


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_second_signal_ends_as_the_first_one_asked_for(
    share: RelayedShare, number: signal.Signals
) -> None:
    process = start_with_a_large_file(share)
    process.send_signal(number)
    process.send_signal(signal.SIGTERM)
    run = finish(process)
    assert run.code == CODES[number]
    assert share.end_processes() == []
    again = share.drain()
    assert again.code == 0, again.err
    assert share.arrived() == share.dropped
    assert share.crumbs() == []


def test_stopped_coordinator_that_is_continued_goes_on(share: RelayedShare) -> None:
    process = start_with_a_large_file(share)
    process.send_signal(signal.SIGSTOP)
    told = psutil.Process(process.pid)
    assert wait_until(lambda: told.status() == psutil.STATUS_STOPPED)
    process.send_signal(signal.SIGCONT)
    run = finish(process)
    assert run.code == 0, run.err
    assert share.arrived() == share.dropped


def test_hangup_reopens_the_log(share: RelayedShare) -> None:
    process = share.start("--poll-seconds", "0.05", command="watch")
    assert await_beginning(share, process)
    moved = share.log.with_suffix(".moved")
    share.log.rename(moved)
    process.send_signal(signal.SIGHUP)
    share.drop("after", b"after the log was moved")
    assert wait_until(
        lambda: share.log.exists() and share.events("decode"), process=process
    )
    process.send_signal(signal.SIGTERM)
    run = finish(process)
    assert run.code == 143
    assert "after" not in moved.read_text()
    assert share.arrived() == share.dropped
