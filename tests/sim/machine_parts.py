"""What a simulated machine is made of, besides the node itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any

from plan import NEVER
from sim_share import SimShare
from system import Host
from turns import Process, Turns

from paxect_batch.model.events import Event
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.seams import WorkerDied
from paxect_batch.work.lots import do_lot

Tell = Callable[[str], None]

_LOOK_SECONDS = 0.005
_SLICE_SECONDS = 0.05
WORKERS = 2
IN_FLIGHT_BYTES_MAX = 40
"""Of each worker, in seeds with giants."""
GIANT_BYTES_MIN = WORKERS * IN_FLIGHT_BYTES_MAX


class Stop:
    """`seams.StopSignal`: stops who watches once all was dropped."""

    now = False

    def __init__(self, is_closing: Callable[[], bool], *, watches: bool) -> None:
        self._is_closing = is_closing
        self._watches = watches

    @property
    def requested(self) -> bool:
        return self._watches and self._is_closing()


class InLine:
    """`seams.Executor`: does a lot at once; a worker may die of it.

    Giants are done beside the rest, after so many seconds, if there are any.
    """

    def __init__(
        self, share: SimShare, process: Process, turns: Turns, *, giant_seconds: float
    ) -> None:
        self._share = share
        self._process = process
        self._turns = turns
        self._giant_seconds = giant_seconds
        self._late = 0
        self._is_stopped = False
        self.deaths = 0

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        if self._giant_seconds and lot.size > GIANT_BYTES_MIN:
            self._late += 1
            self._turns.spawn(self._process, lambda: self._do_late(lot, future))
        else:
            self._do(lot, future)
        return future

    def stop(self) -> None:
        """Wait until what is late is done, or sees that it need not be."""
        self._is_stopped = True
        while self._late:
            self._turns.sleep(_LOOK_SECONDS)
        self._is_stopped = False

    def _do_late(self, lot: Lot, future: Future[tuple[Outcome, ...]]) -> None:
        until = self._turns.time + self._giant_seconds
        try:
            while self._turns.time < until and not self._is_stopped:
                self._turns.sleep(_SLICE_SECONDS)
            if not self._is_stopped:
                self._do(lot, future)
        finally:
            self._late -= 1

    def _do(self, lot: Lot, future: Future[tuple[Outcome, ...]]) -> None:
        outcomes = do_lot(self._share, lot)
        if self.deaths:
            self.deaths -= 1
            future.set_exception(WorkerDied())
        else:
            future.set_result(outcomes)


class Beside:
    """`seams.Beside`: another act of the process, which may be late."""

    def __init__(self, turns: Turns, process: Process) -> None:
        self._turns = turns
        self._process = process
        self._jobs: deque[tuple[Callable[[], object], Future[object]]] = deque()

    def submit(self, call: Callable[[], object]) -> Future[object]:
        future: Future[object] = Future()
        self._jobs.append((call, future))
        if len(self._jobs) == 1:
            self._turns.spawn(self._process, self._run)
        return future

    def wait(self, futures: Collection[Future[Any]], seconds: float | None) -> None:
        until = self._turns.time + (NEVER if seconds is None else seconds)
        while not any(each.done() for each in futures) and self._turns.time < until:
            self._turns.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        pass

    def _run(self) -> None:
        while self._jobs:
            call, future = self._jobs[0]
            try:
                result = call()
            except Exception as problem:  # noqa: BLE001  whoever waits decides
                future.set_exception(problem)
            else:
                future.set_result(result)
            self._jobs.popleft()


class Cores:
    def cores(self) -> int:
        return 1


class Events:
    """`seams.EventLog`: tells the history of a failing seed."""

    def __init__(self, name: str, tell: Tell | None) -> None:
        self._name = name
        self._tell = tell

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
    ) -> None:
        if self._tell is not None:
            self._tell(f"{self._name} says {event} {src} {dst} {status}: {message}")


class Slot:
    """One machine that runs a node again and again."""

    def __init__(self, number: int, *, watches: bool) -> None:
        self.number = number
        self.name = f"n{number}"
        self.host = Host(self.name)
        self.watches = watches
        self.process: Process | None = None
        self.executor: InLine | None = None
        self.comes_back = True
