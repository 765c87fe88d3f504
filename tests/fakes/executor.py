"""An executor that does each lot at once, in the caller's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.seams import WorkerDied


class InlineExecutor:
    """`seams.Executor`. `dies` says which lots kill their worker."""

    def __init__(
        self,
        handle: Callable[[Lot], tuple[Outcome, ...]],
        *,
        dies: Callable[[Lot], bool] = lambda _lot: False,
    ) -> None:
        self._handle = handle
        self._dies = dies
        self.lots: list[Lot] = []
        self.stops = 0

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        self.lots.append(lot)
        future: Future[tuple[Outcome, ...]] = Future()
        future.set_running_or_notify_cancel()
        if self._dies(lot):
            future.set_exception(WorkerDied(f"the worker of lot {lot.number} died"))
            return future
        try:
            future.set_result(self._handle(lot))
        except Exception as error:  # noqa: BLE001
            # What a worker does not handle ends it.
            died = WorkerDied(f"the worker of lot {lot.number} died")
            died.__cause__ = error
            future.set_exception(died)
        return future

    def stop(self) -> None:
        self.stops += 1
