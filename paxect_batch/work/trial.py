"""Try out what a task asks of a worker, on noise that no share takes part in.

It takes as much memory as the task, if its worker is to be judged by it.
"""

from __future__ import annotations

import io
import os

import paxect_core
from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Task
from paxect_core.window import window_frames

_UNPACKED_BYTES_MAX = 16 << 20


def try_out(task: Task) -> None:
    """Pack noise as this task would its source, and unpack some."""
    settings = paxect_core.Settings(
        level=task.level, channels=task.channels, frame_bytes=task.frame_bytes
    )
    in_flight = window_frames(task.threads, task.frame_bytes) * task.frame_bytes
    size = min(task.identity.size, in_flight)
    if task.direction is Direction.ENCODE:
        paxect_core.encode(_Noise(size), _Nowhere(), settings, threads=task.threads)
    container = io.BytesIO()
    paxect_core.encode(_Noise(min(size, _UNPACKED_BYTES_MAX)), container, settings)
    container.seek(0)
    paxect_core.decode(container, _Nowhere(), threads=task.threads)


class _Noise:
    """So many bytes that cannot be packed."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        return os.urandom(size)


class _Nowhere:
    """A sink that keeps nothing."""

    def write(self, data: bytes | memoryview, /) -> int:
        return len(data)
