"""How many frames may be in flight: enough work for every thread, bounded memory."""

from __future__ import annotations

from paxect_core import limits


def window_frames(threads: int, frame_bytes: int) -> int:
    """Return how many frames may be in flight with so many threads; 0 is in line."""
    if not threads:
        return 1
    return max(threads + 1, min(4 * threads, limits.WINDOW_BYTES // frame_bytes))
