"""Share out: which node should take an item, so that nodes meet rarely.

Each living node gets the items that its name draws the highest number for; all nodes
draw alike, without asking. It is a matter of order only: once its own are done, a node
helps with those of others, by few at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

from paxect_batch.rules.plan import LOT_ITEMS_MAX

_DRAW_MASK = 2**64 - 1
HELP_PART = 4
"""All nodes together claim no more than one part of so many of what is left at once."""


class ShareOut:
    """What falls to a node, beside these living others."""

    def __init__(self, node: str, others: Collection[str]) -> None:
        self._own = _drawn(node) | 1
        self._others = [(_drawn(other) | 1, other > node) for other in others]

    def is_own(self, item: str) -> bool:
        """Tell whether the item falls to the node."""
        # Who is beaten mostly finds that out soon, however many they are.
        return not self._others or next(self._beaten_by(item), None) is None

    def rank(self, item: str) -> int:
        """Return to how many of the others the item falls before it falls to it."""
        return sum(1 for _ in self._beaten_by(item))

    def _beaten_by(self, item: str) -> Iterator[int]:
        """Give what each of the others drew that is more."""
        drawn = _drawn(item)
        own = drawn * self._own & _DRAW_MASK
        for factor, wins_ties in self._others:
            other = drawn * factor & _DRAW_MASK
            if other > own or (wins_ties and other == own):
                yield other


def help_items(left: int, nodes: int) -> int:
    """Return how many items a helper claims ahead when so many of others are left.

    The fewer are left, the fewer it takes, so that nobody ends with much while others
    have nothing to do.
    """
    return min(max(left // (HELP_PART * nodes), 1), LOT_ITEMS_MAX)


def _drawn(word: str) -> int:
    """Return a number that looks like any other; an odd one times it does, too."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
