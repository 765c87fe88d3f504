"""What a simulated machine is made of, besides the node itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from sim_share import SimShare
from system import Host
from turns import Process

from paxect_batch.model.events import Event
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.seams import WorkerDied
from paxect_batch.work.lots import do_lot

Tell = Callable[[str], None]


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
    """`seams.Executor`: does a lot at once; a worker may die of it."""

    def __init__(self, share: SimShare, process: Process) -> None:
        self._share = share
        self._process = process
        self.deaths = 0

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        outcomes = do_lot(self._share, lot)
        if self.deaths:
            self.deaths -= 1
            future.set_exception(WorkerDied())
        else:
            future.set_result(outcomes)
        return future

    def stop(self) -> None:
        pass


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
