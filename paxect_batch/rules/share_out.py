"""Share out: which node should take an item, so that nodes meet rarely.

Each living node gets the items that its name draws the highest number for; all nodes
draw alike, without asking. It is a matter of order only: once its own are done, a node
helps with those of others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection


def is_own(node: str, others: Collection[str], item: str) -> bool:
    """Tell whether the item falls to the node, beside these living others."""
    if not others:
        return True
    own = _draw(node, item)
    return all(_draw(other, item) <= own for other in others)


def order(node: str, item: str) -> bytes:
    """Return where the item stands in the order in which the node helps others."""
    return _draw(node, item)


def _draw(node: str, item: str) -> bytes:
    return hashlib.blake2b(f"{node}\0{item}".encode(), digest_size=8).digest()
