"""Tell how far a worker has come with the large files of a lot.

A lot of small ones is done before anybody would ask. A file is gone over twice where
what was written is read back, and both count for their part.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Task

METERED_BYTES_MIN = 8 << 20
"""Files below that are not told of."""
INTERVAL_SECONDS = 0.2
"""So often at most it is told."""

Tell = Callable[[int], object]
"""Takes how many bytes of the lot's sources count as worked on."""
Pass = Callable[[int, int], object]
"""Takes the raw bytes that one pass over a file has come to, and the container's."""


class Meter:
    """Counts for one lot, whose files may be worked on in several threads."""

    def __init__(
        self, tell: Tell, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next = monotonic() + INTERVAL_SECONDS
        self._worked: dict[Place, float] = {}

    def over(
        self,
        task: Task,
        begin: float,
        end: float,
        *,
        raw_bytes: int = 0,
        container_bytes: int = 0,
    ) -> Pass | None:
        """Return what to call as a pass goes on; None for a file that is small.

        It takes the work on the file from one part to another, once it has come to so
        many bytes, of the one kind or of the other.
        """
        size = task.identity.size
        if size < METERED_BYTES_MIN:
            return None
        total = max(raw_bytes or container_bytes, 1)

        def note(raw_done: int, container_done: int) -> None:
            done = min((raw_done if raw_bytes else container_done) / total, 1.0)
            self._note(task.stage, size * (begin + (end - begin) * done))

        return note

    def _note(self, stage: Place, worked: float) -> None:
        with self._lock:
            self._worked[stage] = worked
            if self._monotonic() >= self._next:
                self._tell(int(sum(self._worked.values())))
                self._next = self._monotonic() + INTERVAL_SECONDS


def unheard(_worked: int) -> None:
    """Tell nobody."""
