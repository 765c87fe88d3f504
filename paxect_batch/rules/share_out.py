"""Share out: which node should take an item, so that nodes meet rarely.

Each living node gets the items that its name draws the highest number for; all nodes
draw alike, without asking. It is a matter of order only: once its own are done, a node
helps with those of others, by few at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from paxect_batch.rules.plan import LOT_ITEMS_MAX

HELP_PART = 4
"""All nodes together claim no more than one part of so many of what is left at once."""


def is_own(node: str, others: Collection[str], item: str) -> bool:
    """Tell whether the item falls to the node, beside these living others."""
    return rank(node, others, item) == 0


def rank(node: str, others: Collection[str], item: str) -> int:
    """Return how many of the others the item falls to before it falls to the node."""
    if not others:
        return 0
    own = _draw(node, item), node
    return sum((_draw(other, item), other) > own for other in others)


def help_items(left: int, nodes: int) -> int:
    """Return how many items a helper claims ahead when so many of others are left.

    The fewer are left, the fewer it takes, so that nobody ends with much while others
    have nothing to do.
    """
    return min(max(left // (HELP_PART * nodes), 1), LOT_ITEMS_MAX)


def _draw(node: str, item: str) -> bytes:
    return hashlib.blake2b(f"{node}\0{item}".encode(), digest_size=8).digest()
