"""One run's records and events as a few numbers: what its report is made of.

Records come one by one and are folded into spans of the run's time, so what is kept
does not grow with them.
"""

from __future__ import annotations

import heapq
from collections import Counter

import msgspec

from paxect_batch.model.audit import Audit
from paxect_batch.model.items import Direction
from paxect_batch.model.moments import seconds_of
from paxect_batch.model.records import Fate, Record

SPANS = 120
SLOWEST_MAX = 15
SET_ASIDE_MAX = 200
_CLOCKS_APART_SECONDS = 1.0
"""So far apart two clocks may be that are right."""


class Slow(msgspec.Struct, frozen=True, order=True):
    """A file that took long from its last change, or the run's begin, to its end."""

    seconds: float
    source: str
    direction: Direction
    bytes: int


class Heap(msgspec.Struct):
    """How many files lay in one folder, by span."""

    changes: list[int] = msgspec.field(default_factory=lambda: [0] * (SPANS + 1))

    def counts(self) -> list[int]:
        """Return how many there were in each span."""
        found, now = [], 0
        for change in self.changes[:SPANS]:
            now += change
            found.append(now)
        return found


class RunFold:
    """Takes in the records of one run."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self._begin = seconds_of(audit.started) or 0.0
        self.seconds = max(audit.duration_seconds, 0.001)
        self.files = [0] * SPANS
        """Delivered in each span."""
        self.bytes = [0] * SPANS
        self._heaps = {direction: Heap() for direction in Direction}
        self._slowest: list[Slow] = []
        self.set_aside: list[Record] = []
        self.set_aside_count = 0
        self.reasons: Counter[str] = Counter()
        self.records = 0

    def add(self, record: Record) -> None:
        """Take in one record; the first one comes first."""
        ended = seconds_of(record.at)
        if not self.records and ended is not None:
            self._begin_by(ended)
        self.records += 1
        at = self._begin + self.seconds if ended is None else ended
        changed = record.identity.mtime_ns / 1e9
        came = min(max(changed, self._begin), at)
        heap = self._heaps[record.direction]
        heap.changes[self._span(came)] += 1
        # It is counted where it ended, so that one that came and went shows.
        heap.changes[self._span(at) + 1] -= 1
        if record.fate is Fate.SET_ASIDE:
            self.set_aside_count += 1
            self.reasons[record.code] += 1
            if len(self.set_aside) < SET_ASIDE_MAX:
                self.set_aside.append(record)
            return
        if self._is_delivery(record):
            self.files[self._span(at)] += 1
            self.bytes[self._span(at)] += record.raw_bytes
        slow = Slow(at - came, str(record.source), record.direction, record.raw_bytes)
        if len(self._slowest) < SLOWEST_MAX:
            heapq.heappush(self._slowest, slow)
        else:
            heapq.heappushpop(self._slowest, slow)

    def _begin_by(self, first: float) -> None:
        # The node says by its own clock when it began, and records are by the share's.
        if not 0 <= first - self._begin <= self.seconds + _CLOCKS_APART_SECONDS:
            self._begin = first

    def slowest(self) -> list[Slow]:
        """Return the files that took longest, the slowest first."""
        return sorted(self._slowest, reverse=True)

    def waiting(self) -> dict[Direction, list[int]]:
        """Return how many of the run's files waited for each step, by span."""
        return {way: heap.counts() for way, heap in self._heaps.items()}

    def _is_delivery(self, record: Record) -> bool:
        decodes = record.direction is Direction.DECODE
        return decodes or self.audit.mode != "relay"

    def _span(self, at: float) -> int:
        part = (at - self._begin) / self.seconds
        return min(max(int(part * SPANS), 0), SPANS - 1)
