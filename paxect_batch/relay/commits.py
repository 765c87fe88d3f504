"""Carry the commits of several lots on side by side, while they wait for a disk.

A commit is a generator: it yields each call that may wait, and is sent what the call
returned or met. What becomes of a lot the coordinator's thread decides; only these
calls are made beside it, one after the other, while it scans and claims what is next.
What one call does to many items may be done by several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

from paxect_batch.seams import Beside

T = TypeVar("T")

Steps = Generator[Callable[[], object], Any, T]

COMMITS_MAX = 2
"""While one waits for the disk, another may publish."""


def at_once(steps: Steps[T]) -> T:
    """Make all calls here; return what the steps return."""
    try:
        call = next(steps)
        while True:
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001  the steps decide
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as ended:
        value: T = ended.value
        return value


class AtOnce:
    """`seams.Beside` that makes each call in the caller's thread."""

    def submit(self, call: Callable[[], object]) -> Future[object]:
        """See `seams.Beside`."""
        future: Future[object] = Future()
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  whoever waits decides
            future.set_exception(error)
        return future

    def wait(self, futures: Collection[Future[Any]], seconds: float | None) -> None:
        """See `seams.Beside`. All that was submitted here is done."""

    def stop(self) -> None:
        """See `seams.Beside`."""


class Commits:
    """The commits that are under way."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._waiting: dict[Future[object], Steps[None]] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._waiting)

    @property
    def futures(self) -> Collection[Future[object]]:
        """What they wait for."""
        return self._waiting.keys()

    def begin(self, steps: Steps[None]) -> None:
        """Have one begin when all go on."""
        ready: Future[object] = Future()
        ready.set_result(None)
        self._waiting[ready] = steps

    def go_on(self) -> None:
        """Carry on those whose calls were made; raise what the first of them meets."""
        for future in [each for each in self._waiting if each.done()]:
            steps = self._waiting.pop(future)
            error = future.exception()
            try:
                if error is None:
                    call = steps.send(future.result())
                else:
                    call = steps.throw(error)
            except StopIteration:
                continue
            self._waiting[self._beside.submit(call)] = steps

    def finish(self) -> None:
        """Carry all to their ends, and raise what the first met that failed."""
        failed: Exception | None = None
        while self._waiting:
            self._beside.wait(self.futures, None)
            try:
                self.go_on()
            except Exception as error:  # noqa: BLE001  raised below
                failed = failed or error
        if failed is not None:
            raise failed
