"""A run on a terminal: one line on standard error, and problems above it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from paxect_batch.cli import console
from paxect_batch.model.run import Standing
from paxect_batch.report.amounts import clip, size_text, time_text

_INTERVAL_SECONDS = 0.1
_BAR_CELLS = 20
_COLUMNS = 79


class Progress:
    """Shows how a run stands, and each problem once, as it arises.

    Without a bar only the problems are shown, for logs of cron and the like.
    """

    def __init__(
        self, *, bar: bool, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._bar = bar
        self._monotonic = monotonic
        self._start = monotonic()
        self._next = self._start
        self._shown = False
        self._problems: list[str] = []
        self._last_problem = ""
        self.standing = Standing()
        """How the run stood when it last told."""

    def __call__(self, standing: Standing) -> None:
        """Take in how the run stands; draw at most ten times a second."""
        self.standing = standing
        self._tell(standing.problems)
        now = self._monotonic()
        if self._bar and now >= self._next:
            self._next = now + _INTERVAL_SECONDS
            line = progress_line(standing, seconds=now - self._start)
            self._write(f"\r{line}\033[K")
            self._shown = True

    def clear(self) -> None:
        """Take the bar off the screen."""
        if self._shown:
            self._write("\r\033[K")
            self._shown = False

    def notice(self, text: str) -> None:
        """Tell of something, above the bar."""
        self.clear()
        console.complain(f"warning: {text}")

    def _tell(self, problems: list[str]) -> None:
        if problems == self._problems:
            return
        new = problems[_overlap(self._problems, problems) :]
        self._problems = list(problems)
        for text in dict.fromkeys(new):
            if text != self._last_problem:
                self.notice(text)
            self._last_problem = text

    @staticmethod
    def _write(text: str) -> None:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()


def progress_line(standing: Standing, *, seconds: float) -> str:
    """Return the line for a run that has lasted so long."""
    done = standing.delivered_files + standing.set_aside_files + standing.blocked_files
    done_bytes = (
        standing.delivered_bytes + standing.set_aside_bytes + standing.blocked_bytes
    )
    seen_bytes = standing.seen_bytes + standing.in_flight_bytes
    part = min(done_bytes / seen_bytes, 1.0) if seen_bytes else 0.0
    filled = int(part * _BAR_CELLS)
    rate = standing.delivered_bytes / seconds if seconds > 0 else 0.0
    words = [
        f"[{'#' * filled}{'-' * (_BAR_CELLS - filled)}]",
        f"{done:,}/{standing.seen_files + standing.in_flight_files:,} files",
        size_text(standing.delivered_bytes),
        f"{size_text(rate)}/s",
    ]
    if 0.0 < part < 1.0:
        words.append(f"{time_text(seconds * (1 - part) / part)} left")
    if standing.set_aside_files:
        words.append(f"{standing.set_aside_files:,} set aside")
    return clip("  ".join(words), _COLUMNS)


def _overlap(old: list[str], new: list[str]) -> int:
    """Return how many problems at the beginning of the new list were shown before.

    The list holds the newest few: what fell out at its front moves the rest up.
    """
    for shift in range(len(old) + 1):
        kept = old[shift:]
        if new[: len(kept)] == kept:
            return len(kept)
    return 0
