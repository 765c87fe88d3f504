"""Records: what became of items, one line each in a node's ledger."""

from __future__ import annotations

import enum

import msgspec

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.numbers import Count
from paxect_batch.model.places import Place


class Fate(enum.StrEnum):
    """What became of an item."""

    DELIVERED = "delivered"
    """Encoded onto the wire, or decoded into the outbox."""
    SET_ASIDE = "set_aside"


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item's end. Times, node and run aside, the same whoever wrote it."""

    fate: Fate
    direction: Direction
    source: Place
    identity: Identity
    target: Place | None = None
    raw_bytes: Count = 0
    raw_sha256: str = ""
    container_bytes: Count = 0
    container_sha256: str = ""
    adopted: bool = False
    """Whether equal bytes lay at the target already."""
    code: str = ""
    detail: str = ""
    exit_code: int = 0
    quarantine: str = ""
    node: str = ""
    run: str = ""
    generation: int = 0
    codec: str = ""
    at: str = ""
    """When, by the share's clock, as ISO 8601 in UTC: it orders deliveries of nodes."""
