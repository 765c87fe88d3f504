"""A thread beside the coordinator's for calls that wait for a disk; see `seams.Beside`.

Not the standard library's pool: that one waits at the end of the process for a call
that hangs in a mount.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from paxect_batch.model.errors import NoWorkers
from paxect_batch.world.threads import start_thread

_Job = tuple[Callable[[], object], "Future[object]"]


class OneBeside:
    """See `seams.Beside`. The thread starts with the first call.

    Where no thread can be had the caller makes the call, and waits for it.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, call: Callable[[], object]) -> Future[object]:
        """See `seams.Beside`."""
        future: Future[object] = Future()
        if self._thread is None and not self._start():
            _make(call, future)
        else:
            self._jobs.put((call, future))
        return future

    def _start(self) -> bool:
        thread = threading.Thread(target=self._run, name="call-beside", daemon=True)
        try:
            start_thread(thread.start, "for calls that wait for a disk")
        except NoWorkers:
            return False
        self._thread = thread
        return True

    def wait(self, futures: Collection[Future[Any]], seconds: float | None) -> None:
        """See `seams.Beside`."""
        wait(futures, seconds, FIRST_COMPLETED)

    def stop(self) -> None:
        """Let the thread end once all calls were made."""
        if self._thread is not None:
            self._jobs.put(None)
        self._thread = None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            _make(*job)
            del job


def _make(call: Callable[[], object], future: Future[object]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  whoever waits decides
        future.set_exception(error)
    else:
        future.set_result(result)
