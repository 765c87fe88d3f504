"""Stop staging a file before it takes the last room of a disk from all others.

A few bytes of a container can hold more than any disk, and two large files may fit one
by one but not together.
"""

from __future__ import annotations

import errno
import os

from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Task
from paxect_batch.seams import Share
from paxect_batch.work.meter import Pass

KEPT_BYTES = 64 << 20
"""What one file leaves to others, where there was more when it was begun."""
STEP_BYTES = 16 << 20
"""After so much it is asked anew what is free."""


def leaving_room(share: Share, task: Task, told: Pass | None) -> Pass | None:
    """Return what is to go with the pass that stages a task, and tells of it.

    `OSError` ENOSPC ends the pass. A small file that is encoded needs nothing; what a
    container holds is seen when it is there.
    """
    if task.direction is Direction.ENCODE and task.identity.size < STEP_BYTES:
        return told
    return _Room(share, task, told)


class _Room:
    __slots__ = ("_encodes", "_is_small", "_next", "_root", "_share", "_told")

    def __init__(self, share: Share, task: Task, told: Pass | None) -> None:
        self._share = share
        self._root = task.stage.root
        self._encodes = task.direction is Direction.ENCODE
        self._told = told
        self._next = STEP_BYTES
        self._is_small: bool | None = None
        """Whether there was little room from the beginning; None before it is asked."""

    def __call__(self, raw_bytes: int, container_bytes: int) -> None:
        """Take in what was staged so far, and tell of it."""
        if self._told is not None:
            self._told(raw_bytes, container_bytes)
        written = container_bytes if self._encodes else raw_bytes
        if written >= self._next:
            self._next = written + STEP_BYTES
            self._look(written)

    def _look(self, written: int) -> None:
        free = self._share.free_bytes(self._root)
        if self._is_small is None:
            # Some file systems cannot tell, and say that nothing is free.
            self._is_small = free + written < KEPT_BYTES or not free
        if free < KEPT_BYTES and not self._is_small:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
