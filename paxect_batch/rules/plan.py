"""Plan: which tasks share a trip through a worker, and with how many threads.

Small items share lots, so that the durable steps are shared too; items too large for
that go alone. A lot has one direction. Nothing here changes the bytes of a container.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from paxect_batch.model.transfer import Lot, Task
from paxect_core import limits
from paxect_core.window import window_frames

LOT_ITEMS_MAX = 256
LOT_BYTES_MAX = 16 << 20
"""How many bytes a lot of several items holds at most."""

LOT_LETTERS_MAX = 1 << 18
"""How long its paths are together: an intent has each several times, and a limit."""

SMALL_BYTES_MAX = 1 << 20
"""Items up to this size share a lot of up to `LOT_ITEMS_MAX`."""

FEW_ITEMS_MAX = 8
"""How many items a lot holds once one of them is not small."""

BIG_BYTES_MIN = 64 << 20
"""Items from this size on may use several threads."""

THREADS_MIN = 4
"""So many they have at least, as far as there are cores."""

IN_FLIGHT_BYTES_MAX = 128 << 20
"""Bytes of sources in flight for each worker, see `in_flight_bytes_max`."""

WORKER_BYTES = 40 << 20
"""What a worker takes that does nothing."""


def threads_for(size: int, cores: int, workers: int) -> int:
    """Return the threads for one item, while other workers may have as large ones.

    Some more than its part of the cores: other workers may as well have nothing to do.
    """
    if size < BIG_BYTES_MIN:
        return 1
    part = max(cores // max(workers, 1), min(cores, THREADS_MIN))
    return min(part, limits.THREADS_MAX)


def in_flight_bytes_max(workers: int) -> int:
    """Return how many bytes of sources may be staged or on their way at once."""
    return max(workers, 1) * IN_FLIGHT_BYTES_MAX


def lot_memory_bytes(frame_bytes: int, threads: int) -> int:
    """Return what a worker takes of the machine's memory while it has a lot, at most.

    Itself, and for each frame in its window the raw and the compressed bytes.
    """
    frames = window_frames(threads, frame_bytes) + 1
    return WORKER_BYTES + frames * 2 * frame_bytes


def counted_bytes(size: int) -> int:
    """Return what a lot of that size counts for of what may be in flight.

    No more than one worker's part, however large it is: others have work beside it.
    """
    return min(size, IN_FLIGHT_BYTES_MAX)


def may_begin_beside(
    size: int,
    giants: Collection[int],
    *,
    workers: int,
    free_bytes: Callable[[], int],
) -> bool:
    """Tell whether an item of that size need not wait for the giants that are out.

    Giants are larger than all that may be in flight together. They leave a worker to
    smaller files, and are out together only where all of them fit on the disk: two that
    take the last room from each other would both fail, and again. `free_bytes` is 0 if
    nobody knows.
    """
    if not giants or size <= in_flight_bytes_max(workers):
        return True
    return len(giants) < workers - 1 and sum(giants) + size < free_bytes()


class LotBuilder:
    """Groups tasks into lots in the order in which they come.

    Whatever was added comes out in exactly one lot: those that `add` gives, and the
    last that `flush` gives.
    """

    def __init__(self, *, number: int = 1, items_max: int = LOT_ITEMS_MAX) -> None:
        assert 1 <= items_max <= LOT_ITEMS_MAX
        self._number = number
        self._items_max = items_max
        self._tasks: list[Task] = []
        self._bytes = 0
        self._letters = 0
        self._largest = 0

    def __len__(self) -> int:
        """Return how many tasks wait for their lot."""
        return len(self._tasks)

    def add(self, task: Task) -> Lot | None:
        """Take in a task; return a lot if one is complete, not always with that task.

        An item that fills a lot by itself comes out at once, before those that wait.
        """
        size = task.identity.size
        if size >= LOT_BYTES_MAX:
            return self._make((task,))
        full = None
        if self._tasks and not self._fits(task):
            full = self.flush()
        self._tasks.append(task)
        self._bytes += size
        self._letters += len(task.source.path)
        self._largest = max(self._largest, size)
        if full is None and len(self._tasks) >= self._items_max:
            return self.flush()
        return full

    def flush(self) -> Lot | None:
        """Return the lot of all tasks that wait, if there are any."""
        if not self._tasks:
            return None
        tasks, self._tasks = tuple(self._tasks), []
        self._bytes = self._letters = self._largest = 0
        return self._make(tasks)

    def _fits(self, task: Task) -> bool:
        size = task.identity.size
        small = max(self._largest, size) <= SMALL_BYTES_MAX
        items_max = self._items_max if small else min(FEW_ITEMS_MAX, self._items_max)
        return (
            task.direction is self._tasks[0].direction
            and self._bytes + size <= LOT_BYTES_MAX
            and self._letters + len(task.source.path) <= LOT_LETTERS_MAX
            and len(self._tasks) < items_max
        )

    def _make(self, tasks: tuple[Task, ...]) -> Lot:
        lot = Lot(self._number, tasks)
        self._number += 1
        return lot
