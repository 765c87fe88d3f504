"""Try out what items ask of a worker, on a sample that no share takes part in."""

from __future__ import annotations

import paxect_core
from paxect_batch.model.transfer import Task

_SAMPLE = bytes(range(256)) * 4096


def try_out(task: Task) -> None:
    """Pack a sample as this task would be, and unpack it."""
    settings = paxect_core.Settings(
        level=task.level, channels=task.channels, frame_bytes=task.frame_bytes
    )
    container = paxect_core.encode_bytes(_SAMPLE, settings)
    paxect_core.decode_bytes(container)
