"""Since when files are as they are, for those whose own times do not tell.

They do not on platforms without ctime, on SMB, nor after the clock was set back.
"""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.items import Item

SEEN_MAX = 100_000
"""More files than that wait until some of these were taken, or are gone for long."""
GONE_SECONDS = 600.0
"""Who was not looked at for so long is not waited for any more."""

_Key = tuple[bytes, int | None]


class Sightings:
    """When each file was first seen with the facts that it has."""

    def __init__(self) -> None:
        self._seen: dict[_Key, tuple[float, float]] = {}
        """When it was first, and last; who was not seen for longest comes first."""

    def since(
        self, item: Item, mark_of: Callable[[Item], bytes], now: float
    ) -> float | None:
        """Return when these facts were seen first; None if the file's times tell.

        The mark stands for the item's content and place.
        """
        ctime_ns = item.facts.ctime_ns
        if ctime_ns is not None and ctime_ns <= now * 1e9:
            return None
        key = mark_of(item), ctime_ns
        first, _ = self._seen.pop(key, (now, now))
        first = min(first, now)  # the share's clock may be set back
        if len(self._seen) < SEEN_MAX or self._make_room(now):
            self._seen[key] = first, now
        return first

    def forget(self, item: Item, mark_of: Callable[[Item], bytes]) -> None:
        """Wait for it no more: it was taken."""
        if self._seen:
            self._seen.pop((mark_of(item), item.facts.ctime_ns), None)

    def _make_room(self, now: float) -> bool:
        oldest = next(iter(self._seen))
        if now - self._seen[oldest][1] < GONE_SECONDS:
            return False
        del self._seen[oldest]
        return True
