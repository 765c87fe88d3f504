"""Several calls at once, for shares on which each waits for a server.

The threads are daemons, unlike those of the standard library's pools: a call that hangs
in a mount must not keep the process from ending.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

HANDS_MAX = 16
"""A server answers so many at a time about as quickly as one."""

_Task = Callable[[], None]


class Hands:
    """Threads that start when there is work, and wait for more."""

    def __init__(self, count: int = HANDS_MAX) -> None:
        self._count = count
        self._tasks: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def each(self, act: Callable[[T], object], items: Sequence[T]) -> None:
        """Act on each item, on several at once; raise what the first met that failed.

        All are acted on, whatever one meets.
        """
        failed: dict[int, BaseException] = {}
        left = len(items)
        done = threading.Semaphore(0)

        def task_of(number: int, item: T) -> _Task:
            def task() -> None:
                try:
                    act(item)
                except BaseException as error:  # noqa: BLE001  raised below
                    failed[number] = error
                finally:
                    done.release()

            return task

        for number, item in enumerate(items):
            self._tasks.put(task_of(number, item))
        self._start(left)
        for _ in range(left):
            done.acquire()
        if failed:
            raise failed[min(failed)]

    def _start(self, wanted: int) -> None:
        with self._lock:
            while self._started < min(wanted, self._count):
                self._started += 1
                threading.Thread(target=self._run, name="hand", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._tasks.get()()
