"""Throughput of a share: how much was delivered lately, and in each minute of an hour.

The run in this process is counted as it goes; of others there is what they say with
their leases, so that what one delivered between two looks counts at the second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from paxect_batch.model.leases import Lease, Machine
from paxect_batch.model.view import MINUTES_KEPT, Minute, Rate

RATE_SECONDS = 15.0
"""The span that a rate is an average of; others speak every few seconds only."""
_MOMENTS_MAX = 1000
_OTHERS_MAX = 1000


class Throughput:
    """Adds up deliveries; the caller sees to it that one thread does at a time."""

    def __init__(self) -> None:
        self._own = (0, 0)
        self._others: dict[tuple[str, Machine], tuple[int, int]] | None = None
        self._minutes: dict[int, tuple[int, int]] = {}
        self._moments: deque[tuple[float, int, int]] = deque(maxlen=_MOMENTS_MAX)

    def of_own_run(self, files: int, size: int, *, at: float) -> None:
        """Take in what the run in this process delivered so far."""
        before = self._own
        self._own = (files, size)
        self._add(files - before[0], size - before[1], at=at)

    def of_others(self, leases: Iterable[Lease], *, at: float) -> None:
        """Take in what other nodes say that they delivered so far."""
        is_first = self._others is None
        known = self._others = self._others or {}
        for lease in leases:
            now = (lease.word.delivered_files, lease.word.delivered_bytes)
            # A process goes on counting under another run, and may not be seen for a
            # look. What was done before the first look has no time.
            process = (lease.node, lease.machine)
            before = known.pop(process, now if is_first else (0, 0))
            known[process] = now
            self._add(now[0] - before[0], now[1] - before[1], at=at)
        while len(known) > _OTHERS_MAX:
            del known[next(iter(known))]

    def rate(self, now: float) -> Rate:
        """Return the throughput of the last seconds."""
        recent = [each for each in self._moments if 0 <= now - each[0] <= RATE_SECONDS]
        return Rate(
            sum(each[1] for each in recent) / RATE_SECONDS,
            sum(each[2] for each in recent) / RATE_SECONDS,
        )

    def minutes(self, now: float) -> tuple[Minute, ...]:
        """Return the minutes of the last hour in which anything was delivered."""
        first = int(now) // 60 - MINUTES_KEPT
        return tuple(
            Minute(minute * 60, *tally)
            for minute, tally in sorted(self._minutes.items())
            if minute > first
        )

    def _add(self, files: int, size: int, *, at: float) -> None:
        if files <= 0 and size <= 0:
            return
        minute = int(at) // 60
        before = self._minutes.pop(minute, (0, 0))
        self._minutes[minute] = (before[0] + max(files, 0), before[1] + max(size, 0))
        while len(self._minutes) > MINUTES_KEPT + 1:
            del self._minutes[min(self._minutes)]
        # One entry for each half second, so that an hour of haste stays small.
        if self._moments and 0 <= at - self._moments[-1][0] < 0.5:
            moment, more_files, more_bytes = self._moments.pop()
            files, size, at = files + more_files, size + more_bytes, moment
        self._moments.append((at, files, size))
