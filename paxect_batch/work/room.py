"""Stop staging a file before it takes the last room of a disk from all others.

A few bytes of a container can hold more than any disk, and two large files may fit one
by one but not together. What is still to be written is not known before it is there: it
is taken to be as much for each byte of the source as it was so far.
"""

from __future__ import annotations

import contextlib
import errno
import os

import msgspec

from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Outcome, Task
from paxect_batch.rules.retry import NO_ROOM
from paxect_batch.seams import Share
from paxect_batch.work.meter import Pass
from paxect_batch.work.outcomes import lacks_room

KEPT_BYTES = 64 << 20
"""What is left to others by a file that would not fit into it."""
STEP_BYTES = 16 << 20
"""After so much it is asked anew what is free."""


class Room:
    """Goes with the pass that stages a task; raises `OSError` ENOSPC to end it."""

    __slots__ = ("_encodes", "_next", "_share", "_task", "_told", "_written")

    def __init__(self, share: Share, task: Task, told: Pass | None) -> None:
        self._share = share
        self._task = task
        self._told = told
        self._encodes = task.direction is Direction.ENCODE
        self._next = STEP_BYTES
        self._written = 0

    def __call__(self, raw_bytes: int, container_bytes: int) -> None:
        """Take in what was read and written so far, and tell of it."""
        if self._told is not None:
            self._told(raw_bytes, container_bytes)
        read, self._written = raw_bytes, container_bytes
        if not self._encodes:
            read, self._written = container_bytes, raw_bytes
        if self._written >= self._next:
            self._next = self._written + STEP_BYTES
            self._look(read)

    def judged(self, outcome: Outcome) -> Outcome:
        """Return the outcome of what failed: a large file lacks room by itself."""
        if not lacks_room(outcome):
            return outcome
        outcome = msgspec.structs.replace(outcome, raw_bytes=self._written)
        if self._written < STEP_BYTES:
            return outcome
        return msgspec.structs.replace(outcome, code=NO_ROOM)

    def _look(self, read: int) -> None:
        free = 0
        with contextlib.suppress(OSError):
            free = self._share.free_bytes(self._task.stage.root)
        # Some file systems cannot tell, and say that nothing is free.
        if not 0 < free < KEPT_BYTES:
            return
        left = self._task.identity.size - read
        if self._written * left > free * read:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
