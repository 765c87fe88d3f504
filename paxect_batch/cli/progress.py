"""A run on a terminal: one line on standard error, and problems above it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from paxect_batch.cli import console
from paxect_batch.cli.forecast import Forecast
from paxect_batch.model.run import Standing
from paxect_batch.report.amounts import size_text, time_text

_INTERVAL_SECONDS = 0.1
_BAR_CELLS = 20
_COLUMNS_MAX = 100
_FILE_COST_BYTES = 1 << 17
"""What a file takes besides its bytes, in bytes that take as long."""


class Progress:
    """Shows how a run stands, and each problem once, as it arises.

    Of a relay, which encodes and decodes, each file takes two passes.
    Without a bar only the problems are shown, for logs of cron and the like.
    """

    def __init__(
        self,
        *,
        bar: bool,
        forecast: Forecast | None = None,
        passes: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bar = bar
        self._passes = passes
        self._forecast = forecast
        self._monotonic = monotonic
        self._start = monotonic()
        self._next = self._start
        self._shown = False
        self._moved = 0.0
        self._problems: list[str] = []
        self._last_problem = ""
        self.standing = Standing()
        """How the run stood when it last told."""
        self.worked_bytes: Callable[[], int] = lambda: 0
        """Tells what workers have done of the files that they are at."""

    def __call__(self, standing: Standing) -> None:
        """Take in how the run stands; draw at most ten times a second."""
        self.standing = standing
        self._tell(standing.problems)
        now = self._monotonic()
        if self._bar and now >= self._next:
            self._next = now + _INTERVAL_SECONDS
            forecast = self._forecast
            # What a worker is done with has not arrived yet, for a moment.
            arrived = _arrived_bytes(standing)
            worked = self.worked_bytes() / self._passes
            self._moved = max(self._moved, arrived + worked)
            line = progress_line(
                standing,
                seconds=now - self._start,
                files=0 if forecast is None else forecast.files,
                size=0 if forecast is None else forecast.bytes,
                worked=self._moved - arrived,
                columns=min(console.columns(2) - 1, _COLUMNS_MAX),
            )
            self._write(f"\r{line}\033[K")
            self._shown = self._bar

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

    def _write(self, text: str) -> None:
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            # The terminal is gone; the run goes on without one.
            self._bar = False


def progress_line(
    standing: Standing,
    *,
    seconds: float,
    files: int = 0,
    size: int = 0,
    worked: float = 0.0,
    columns: int = _COLUMNS_MAX,
) -> str:
    """Return the line for a run that has lasted so long.

    `files` and `size` are what there was to do at its beginning, as far as known;
    `worked` is the part that is done of the bytes that workers are at.
    Where columns are few the bar is shorter, and amounts are left out.
    """
    done = standing.delivered_files + standing.set_aside_files + standing.blocked_files
    files = max(files, standing.seen_files + standing.in_flight_files)
    size = max(size, standing.seen_bytes + standing.in_flight_bytes)
    # What is on the wire of a relay has come half of its way.
    on_wire_files = max(standing.encoded_files - standing.delivered_files, 0) / 2
    moved = _arrived_bytes(standing) + worked
    gone_bytes = standing.set_aside_bytes + standing.blocked_bytes
    part = _part(
        (done + on_wire_files) * _FILE_COST_BYTES + moved + gone_bytes,
        files * _FILE_COST_BYTES + size,
    )
    rate = moved / seconds if seconds > 0 else 0.0
    amounts = [size_text(int(moved)), f"{size_text(rate)}/s"]
    rest = []
    if 0.0 < part < 1.0:
        rest.append(f"{time_text(seconds * (1 - part) / part)} left")
    # In view until the end, when the warnings have scrolled away.
    if standing.set_aside_files:
        rest.append(f"{standing.set_aside_files:,} set aside")
    if standing.blocked_files:
        rest.append(f"{standing.blocked_files:,} blocked")
    if standing.seen_files > done:
        rest.append(f"{standing.seen_files - done:,} waiting")
    line = ""
    for cells, shown in (
        (_BAR_CELLS, amounts),
        (_BAR_CELLS // 2, amounts),
        (_BAR_CELLS // 2, amounts[1:]),
        (_BAR_CELLS // 2, []),
    ):
        filled = int(part * cells)
        bar = f"[{'#' * filled}{'-' * (cells - filled)}]"
        line = "  ".join([bar, f"{done:,}/{files:,} files", *shown, *rest])
        if len(line) <= columns:
            break
    return line[:columns]


def _arrived_bytes(standing: Standing) -> float:
    on_wire = max(standing.encoded_bytes - standing.delivered_bytes, 0)
    return standing.delivered_bytes + on_wire / 2


def _part(done: float, total: float) -> float:
    return min(done / total, 1.0) if total else 0.0


def _overlap(old: list[str], new: list[str]) -> int:
    """Return how many problems at the beginning of the new list were shown before.

    The list holds the newest few: what fell out at its front moves the rest up.
    """
    for shift in range(len(old) + 1):
        kept = old[shift:]
        if new[: len(kept)] == kept:
            return len(kept)
    return 0
