"""Several calls at once, for shares on which each waits for a server.

The threads are daemons, unlike those of the standard library's pools: a call that hangs
in a mount must not keep the process from ending.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from paxect_batch.model.errors import NoWorkers
from paxect_batch.world.threads import start_thread

T = TypeVar("T")

HANDS = 16
"""A server answers so many at a time about as quickly as one."""

HANDS_MAX = 64
"""An NFS client has no more calls on their way."""

_Task = Callable[[], None]


def hands_beside(others: int) -> int:
    """Return how many calls a node makes at once.

    A busy server answers others late, and who is heard late is taken for dead.
    """
    return HANDS if others else HANDS_MAX


class Hands:
    """Threads that start when there is work, and wait for more.

    Where fewer can be had these do it all, or the caller does.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def each(
        self, act: Callable[[T], object], items: Sequence[T], *, at_once: int
    ) -> None:
        """Act on each item, on so many at once; raise what the first met that failed.

        All are acted on, whatever one meets.
        """
        if not items:
            return
        hands = self._start(min(at_once, len(items)))
        work = _Work(act, items, max(hands, 1))
        for _ in range(hands):
            self._tasks.put(work.do)
        if not hands:
            work.do()
        work.wait()

    def _start(self, wanted: int) -> int:
        """Return how many of those that are wanted there are."""
        with self._lock:
            while self._started < wanted:
                thread = threading.Thread(target=self._run, name="hand", daemon=True)
                try:
                    start_thread(thread.start, "for several calls at once")
                except NoWorkers:
                    return self._started
                self._started += 1
            return wanted

    def _run(self) -> None:
        while True:
            self._tasks.get()()


class _Work(Generic[T]):
    """Items that so many hands take from, until there are none left."""

    def __init__(
        self, act: Callable[[T], object], items: Sequence[T], hands: int
    ) -> None:
        self.hands = self._busy = hands
        self._act = act
        self._left = iter(enumerate(items))
        self._failed: dict[int, BaseException] = {}
        self._lock = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()

    def do(self) -> None:
        """Act on what no other hand has begun."""
        # One step of the interpreter, which no other thread comes between.
        for number, item in self._left:
            try:
                self._act(item)
            except BaseException as error:  # noqa: BLE001  raised by `wait`
                self._failed[number] = error
        with self._lock:
            self._busy -= 1
            if not self._busy:
                self._done.release()

    def wait(self) -> None:
        """Wait until all is done; raise what the first met that failed."""
        self._done.acquire()
        if self._failed:
            raise self._failed[min(self._failed)]
