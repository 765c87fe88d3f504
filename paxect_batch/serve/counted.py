"""An executor that tells what its workers did; otherwise the one that it holds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.seams import Executor

Note = Callable[[Lot, tuple[Outcome, ...]], None]


class CountedExecutor:
    """See `seams.Executor`."""

    def __init__(self, inner: Executor, note: Note) -> None:
        self._inner = inner
        self._note = note

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        """See `seams.Executor`."""
        future = self._inner.submit(lot)
        future.add_done_callback(lambda done: self._noted(lot, done))
        return future

    def stop(self) -> None:
        """See `seams.Executor`."""
        self._inner.stop()

    def _noted(self, lot: Lot, done: Future[tuple[Outcome, ...]]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._note(lot, done.result())
