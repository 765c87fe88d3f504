"""Any call of the system fails; what follows delivers everything once.

A sample that holds each kind of call of each run; `fault_sweep.py` tries all of them.
"""

from __future__ import annotations

import errno
import random
from pathlib import Path

import pytest
from fault_bench import (
    SCENARIOS,
    bench,
    faults_of,
    mode_of,
    problems_after,
    problems_left,
)
from faulty_system import MACHINE, Fault, FaultySystem

from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Mode


def sample(scenario: str) -> list[Fault]:
    """Draw a fault of each kind of call, and some of each way to fail."""
    faults = list(faults_of(scenario))
    random.Random(scenario).shuffle(faults)
    by_call = {(fault.role, fault.kind): fault for fault in faults}
    by_way = {
        (fault.role, way): fault
        for fault in faults
        for way in ("forever", "happens", "fills")
        if getattr(fault, way)
    }
    return [*by_call.values(), *by_way.values()]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_run_in_which_any_call_fails_loses_nothing_and_others_finish(
    tmp_path: Path, scenario: str
) -> None:
    found = {}
    for number, fault in enumerate(sample(scenario)):
        folder = tmp_path / str(number)
        folder.mkdir()
        problems = problems_after(scenario, fault, folder)
        if problems:
            found[str(fault)] = problems
    assert found == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "number"),
    [*(("open", number) for number in MACHINE), ("fstat", errno.ENOMEM)],
    ids=str,
)
def test_worker_that_runs_out_of_something_blames_no_item(
    tmp_path: Path, kind: str, number: int
) -> None:
    # The third fstat is that of the source, once it is open.
    first = 2 if kind == "fstat" else 0
    fault = Fault("worker", kind, first, number, forever=True)
    with bench("encode", FaultySystem(fault), tmp_path) as made:
        error = made.serve("node", Mode.ENCODE)
        assert isinstance(error, ShareError)
        assert error.errno == number
        assert made.died == []
        assert made.standings[-1].set_aside_files == 0


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE], ids=errno.errorcode.get)
def test_damaged_container_that_can_be_read_no_more_ends_no_worker(
    tmp_path: Path, number: int
) -> None:
    """It is read once more, to tell whether its sidecar says so as well."""
    for call in range(6):
        folder = tmp_path / str(call)
        folder.mkdir()
        fault = Fault("worker", "read", call, number, forever=True)
        with bench("decode", FaultySystem(fault), folder) as made:
            (container,) = made.wire.glob("*.freq")
            data = container.read_bytes()
            container.write_bytes(data[:30] + b"\xff" + data[31:])
            made.serve("node", Mode.DECODE)
            assert made.died == []


def test_lease_that_is_there_and_never_to_be_read_ends_the_run(tmp_path: Path) -> None:
    """The node asked for it without a pause, and could not be stopped."""
    system = FaultySystem()
    with bench("encode", system, tmp_path) as made:
        lease = made.state / "nodes/node/lease"
        lease.parent.mkdir(parents=True)
        lease.write_bytes(b"")
        system.fault = Fault("coordinator", "open", 0, errno.ESTALE, forever=True)
        error = made.serve("node", Mode.RELAY)
        assert isinstance(error, ShareError)
        assert "items are as they were" in error.message
        system.mend()
        assert made.serve("node", Mode.RELAY) is None
        made.check_delivered_once()


@pytest.mark.slow
@pytest.mark.parametrize("piece", [1, 7])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_run_whose_reads_and_writes_are_short_is_like_any_other(
    tmp_path: Path, scenario: str, piece: int
) -> None:
    system = FaultySystem(piece=piece)
    with bench(scenario, system, tmp_path) as made:
        assert made.serve("node", mode_of(scenario)) is None
        assert made.whole_somewhere() == set()
        made.take_all()
        assert made.serve("other", Mode.RELAY, wait=True) is None
        made.take_all()
        assert problems_left(made) == []
