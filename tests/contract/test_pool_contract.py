"""Executors, real and fake: `seams.Executor`; and the pool's processes killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from fakes.executor import InlineExecutor

from paxect_batch.model.errors import NotReady
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome, Result, Task
from paxect_batch.seams import Executor, WorkerDied
from paxect_batch.world import pool as pool_module
from paxect_batch.world.pool import WorkerPool

WAIT_SECONDS = 60
"""Nothing takes that long; what does has failed."""

WORKER = [
    sys.executable,
    "-P",
    os.path.join(os.path.dirname(__file__), "pool_worker.py"),
]


def lot_of(number: int, what: str, folder: Path | str = "") -> Lot:
    """Return a lot that tells `pool_worker` what to do."""
    from paxect_batch.model.places import Place

    place = Place(Root.STATE, what)
    task = Task(
        direction=Direction.ENCODE,
        source=place,
        identity=Identity(0, 0, 0),
        stage=Place(Root.STATE, str(folder)),
        sidecar=place,
        level=3,
        channels=1,
        frame_bytes=1,
        threads=1,
        read_back=False,
        twice=False,
    )
    return Lot(number, (task,))


def handle(lot: Lot) -> tuple[Outcome, ...]:
    what = lot.tasks[0].source.path
    if what == "die":
        raise MemoryError
    return tuple(Outcome(Result.STAGED, detail=task.source.path) for task in lot.tasks)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    made = WorkerPool({Root.STATE: str(tmp_path)}, 2, command=WORKER)
    yield made
    made.stop()


@pytest.fixture(params=["inline", "processes"])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    made: Executor = InlineExecutor(handle)
    if request.param == "processes":
        made = WorkerPool({Root.STATE: os.fsencode(tmp_path)}, 2, command=WORKER)
    yield made
    made.stop()


def test_lot_is_done_and_its_outcomes_come_back(executor: Executor) -> None:
    futures = [executor.submit(lot_of(n, f"echo {n}")) for n in range(20)]
    for number, future in enumerate(futures):
        (outcome,) = future.result(WAIT_SECONDS)
        assert outcome == Outcome(Result.STAGED, detail=f"echo {number}")


def test_death_of_a_worker_fails_its_lot_and_no_other(executor: Executor) -> None:
    futures = [
        executor.submit(lot_of(n, "die" if n == 3 else f"echo {n}")) for n in range(8)
    ]
    for number, future in enumerate(futures):
        if number == 3:
            assert isinstance(future.exception(WAIT_SECONDS), WorkerDied)
        else:
            assert future.result(WAIT_SECONDS)[0].detail == f"echo {number}"


def test_stopped_executor_takes_lots_again(executor: Executor) -> None:
    executor.submit(lot_of(1, "echo 1")).result(WAIT_SECONDS)
    executor.stop()
    executor.stop()
    assert (
        executor.submit(lot_of(2, "echo 2")).result(WAIT_SECONDS)[0].detail == "echo 2"
    )


def test_inline_executor_kills_the_lots_it_is_told_to() -> None:
    inline = InlineExecutor(handle, dies=lambda lot: lot.number == 2)
    assert inline.submit(lot_of(1, "echo")).exception() is None
    assert isinstance(inline.submit(lot_of(2, "echo")).exception(), WorkerDied)


# -- processes


def test_workers_start_with_the_first_lot_and_no_more_than_needed(
    pool: WorkerPool,
) -> None:
    assert pool.pids() == []
    for number in range(5):
        pool.submit(lot_of(number, "echo")).result(WAIT_SECONDS)
    assert len(pool.pids()) == 1


def test_worker_that_died_with_nothing_to_do_is_held_against_no_lot(
    pool: WorkerPool,
) -> None:
    pool.submit(lot_of(1, "echo 1")).result(WAIT_SECONDS)
    (idle,) = pool.pids()
    os.kill(idle, signal.SIGKILL)
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    until(lambda: os.waitid(os.P_PID, idle, ended) is not None)
    assert pool.submit(lot_of(2, "echo 2")).result(WAIT_SECONDS)[0].detail == "echo 2"
    assert pool.pids() != [idle]


def test_workers_of_a_program_that_was_replaced_meanwhile_are_given_nothing(
    pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records would name the codec before, and containers be of the new one."""
    monkeypatch.setattr(pool_module, "CODEC_VERSION", "zstandard 0.1")
    lot = lot_of(1, f"until {tmp_path}/note", "note")
    error = pool.submit(lot).exception(WAIT_SECONDS)
    assert isinstance(error, NotReady)
    assert "start it again" in error.message
    assert not (tmp_path / "note").exists()
    assert pool.pids() == []


def test_killed_worker_fails_its_lot_only_and_is_replaced(
    pool: WorkerPool, tmp_path: Path
) -> None:
    stuck = pool.submit(lot_of(1, "hang", "begun"))
    until((tmp_path / "begun").exists)
    others = [pool.submit(lot_of(n, f"echo {n}")) for n in range(2, 8)]
    victim = int((tmp_path / "begun").read_text())
    os.kill(victim, signal.SIGKILL)
    died = stuck.exception(WAIT_SECONDS)
    assert isinstance(died, WorkerDied)
    assert "SIGKILL" in str(died)
    for number, future in enumerate(others, 2):
        assert future.result(WAIT_SECONDS)[0].detail == f"echo {number}"
    assert pool.submit(lot_of(9, "echo 9")).result(WAIT_SECONDS)[0].detail == "echo 9"
    assert victim not in pool.pids()


def test_idle_worker_that_was_killed_costs_one_lot_at_most(pool: WorkerPool) -> None:
    pool.submit(lot_of(1, "echo")).result(WAIT_SECONDS)
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid))
    pool.submit(lot_of(2, "echo")).exception(WAIT_SECONDS)
    assert pool.submit(lot_of(3, "echo 3")).result(WAIT_SECONDS)[0].detail == "echo 3"


def test_worker_that_prints_does_no_harm(pool: WorkerPool) -> None:
    assert pool.submit(lot_of(1, "print")).result(WAIT_SECONDS)[0].detail == "print"
    assert pool.submit(lot_of(2, "echo 2")).result(WAIT_SECONDS)[0].detail == "echo 2"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["garbage", "exit 0", "exit 3", "other", "close"])
def test_worker_that_says_what_it_should_not_died(pool: WorkerPool, what: str) -> None:
    assert isinstance(pool.submit(lot_of(1, what)).exception(WAIT_SECONDS), WorkerDied)
    assert pool.submit(lot_of(2, "echo 2")).result(WAIT_SECONDS)[0].detail == "echo 2"


def test_interrupt_of_a_worker_changes_nothing(
    pool: WorkerPool, tmp_path: Path
) -> None:
    future = pool.submit(lot_of(1, "until", "begun"))
    until((tmp_path / "begun").exists)
    (pid,) = pool.pids()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    (tmp_path / "begun.end").touch()
    assert future.result(WAIT_SECONDS)[0].detail == "until"
    assert os.getpgid(pid) != os.getpgid(0)


def test_stop_ends_what_runs_and_what_waits(pool: WorkerPool, tmp_path: Path) -> None:
    running = [pool.submit(lot_of(n, "hang", f"begun{n}")) for n in range(2)]
    until(lambda: all((tmp_path / f"begun{n}").exists() for n in range(2)))
    waiting = [pool.submit(lot_of(n, "echo")) for n in range(2, 6)]
    waiting[0].cancel()
    pids = pool.pids()
    pool.stop()
    assert not any(is_alive(pid) for pid in pids)
    assert waiting[0].cancelled()
    for future in (*running, *waiting[1:]):
        assert isinstance(future.exception(WAIT_SECONDS), WorkerDied)


def test_pool_tells_what_its_workers_have_worked_on_of_lots_that_are_not_done(
    pool: WorkerPool, tmp_path: Path
) -> None:
    assert pool.worked_bytes() == 0
    running = [pool.submit(lot_of(n, f"work {n}000", f"at{n}")) for n in (3, 4)]
    until(lambda: pool.worked_bytes() == 7000)
    (tmp_path / "at3.end").touch()
    running[0].result(WAIT_SECONDS)
    assert pool.worked_bytes() == 4000
    os.kill(int((tmp_path / "at4").read_text()), signal.SIGKILL)
    assert isinstance(running[1].exception(WAIT_SECONDS), WorkerDied)
    assert pool.worked_bytes() == 0


def test_lot_cancelled_before_it_began_is_not_done(
    pool: WorkerPool, tmp_path: Path
) -> None:
    running = [pool.submit(lot_of(n, "until", f"begun{n}")) for n in range(2)]
    until(lambda: all((tmp_path / f"begun{n}").exists() for n in range(2)))
    waiting = pool.submit(lot_of(2, "hang", "never"))
    assert waiting.cancel()
    for n in range(2):
        (tmp_path / f"begun{n}.end").touch()
    for future in running:
        future.result(WAIT_SECONDS)
    assert pool.submit(lot_of(3, "echo 3")).result(WAIT_SECONDS)[0].detail == "echo 3"
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    "command", [["/nonexistent/worker"], [sys.executable, "-c", "raise SystemExit(7)"]]
)
def test_pool_whose_workers_never_come_up_says_so(
    tmp_path: Path, command: list[str]
) -> None:
    pool = WorkerPool({Root.STATE: str(tmp_path)}, 1, command=command)
    error = pool.submit(lot_of(1, "echo")).exception(WAIT_SECONDS)
    pool.stop()
    assert isinstance(error, NotReady)


def test_lot_too_large_for_a_message_fails_and_the_worker_lives(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.submit(lot_of(1, "echo")).result(WAIT_SECONDS)
    before = pool.pids()
    monkeypatch.setattr("paxect_batch.world.messages.MESSAGE_BYTES_MAX", 1000)
    error = pool.submit(lot_of(2, "x" * 2000)).exception(WAIT_SECONDS)
    assert isinstance(error, ValueError)
    assert pool.pids() == before


def test_worker_started_while_the_pool_stops_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = WorkerPool({Root.STATE: str(tmp_path)}, 1, command=WORKER)
    started = threading.Event()
    stopped = threading.Event()
    do = pool_module._Attendant._do

    def late(self: pool_module._Attendant, lot: Lot) -> tuple[Outcome, ...]:
        started.set()
        stopped.wait(WAIT_SECONDS)
        return do(self, lot)

    monkeypatch.setattr(pool_module._Attendant, "_do", late)
    monkeypatch.setattr(pool_module, "STOP_SECONDS_MAX", 0.0)
    future = pool.submit(lot_of(1, "echo"))
    started.wait(WAIT_SECONDS)
    pool.stop()
    stopped.set()
    assert isinstance(future.exception(WAIT_SECONDS), WorkerDied)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "SIGTERM"), (200, "signal 200")]
)
def test_signals_are_named(number: int, name: str) -> None:
    assert pool_module._signal_name(number) == name


COORDINATOR = """
import sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from paxect_batch.model.places import Root
from paxect_batch.world.pool import WorkerPool
from test_pool_contract import WORKER, lot_of
pool = WorkerPool({Root.STATE: sys.argv[1]}, 2, command=WORKER)
futures = [pool.submit(lot_of(n, sys.argv[2], f"begun{n}")) for n in range(2)]
sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["hang", "compress", "stopped"])
def test_no_worker_outlives_a_killed_coordinator(tmp_path: Path, what: str) -> None:
    if what == "stopped" and sys.platform != "linux":
        pytest.skip("only Linux ends a stopped process with its parent")
    here = os.path.dirname(__file__)
    begun = [tmp_path / f"begun{n}" for n in range(2)]
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            COORDINATOR,
            str(tmp_path),
            "hang" if what == "stopped" else what,
            here,
            os.path.dirname(here),
        ],
        stdin=subprocess.PIPE,
    ) as coordinator:
        until(lambda: all(path.exists() and path.read_text() for path in begun))
        pids = [int(path.read_text()) for path in begun]
        assert all(is_alive(pid) for pid in pids)
        if what == "stopped":
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
        coordinator.kill()
        coordinator.wait()
        until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.slow
def test_coordinator_that_ends_without_stopping_is_not_kept_from_it(
    tmp_path: Path,
) -> None:
    here = os.path.dirname(__file__)
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            COORDINATOR,
            str(tmp_path),
            "hang",
            here,
            os.path.dirname(here),
        ],
        input=b"",
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert ended.returncode == 0


def test_the_relays_own_worker_does_a_lot(tmp_path: Path) -> None:
    roots = {root: str(tmp_path / root) for root in Root}
    for path in roots.values():
        os.mkdir(path)
    pool = WorkerPool(roots, 1)
    # There is no such source, so it is as good as any other lot.
    (outcome,) = pool.submit(lot_of(1, "absent", "stage")).result(WAIT_SECONDS)
    pool.stop()
    assert outcome.result is Result.GONE
