"""A progress bar on the terminal, one line on standard error."""

from __future__ import annotations

import sys
import time

_INTERVAL_SECONDS = 0.1
_BAR_CELLS = 24


class ProgressBar:
    """Shows what part of the input is done, how much that is, and how fast."""

    def __init__(self, *, input_bytes: int | None, counts_raw: bool) -> None:
        self._input_bytes = input_bytes
        self._counts_raw = counts_raw
        self._start = time.monotonic()
        self._next = self._start + _INTERVAL_SECONDS
        self._shown = False

    def __call__(self, raw_bytes: int, container_bytes: int) -> None:
        """Note the bytes done; draw at most ten times a second."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL_SECONDS
        done = raw_bytes if self._counts_raw else container_bytes
        self._draw(raw_bytes, done, now - self._start)

    def _draw(self, raw_bytes: int, done: int, seconds: float) -> None:
        text = f"{megabytes(raw_bytes)}  {megabytes(int(raw_bytes / seconds))}/s"
        if self._input_bytes:
            part = min(done / self._input_bytes, 1.0)
            filled = int(part * _BAR_CELLS)
            bar = "#" * filled + "-" * (_BAR_CELLS - filled)
            left = seconds * (1 - part) / part if part else 0
            text = f"[{bar}] {part:4.0%}  {text}  {left:.0f} s left"
        sys.stderr.write(f"\r{text}\033[K")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the bar off the screen."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._shown = False


def megabytes(count: int) -> str:
    """Return the count for people to read."""
    return f"{count / 1e6:,.1f} MB"
