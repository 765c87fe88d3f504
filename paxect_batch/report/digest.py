"""The batch digest: one SHA-256 over all that was delivered, the same on every node.

What counts of a record is what was delivered where: direction, target, and size and
SHA-256 of both sides; not who delivered it, when, or in which order. A record that was
read twice counts once, so digests of nodes can be merged in any way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from paxect_batch.model.records import Fate, Record
from paxect_batch.report.distinct_rows import DistinctRows

_DIGEST_BYTES = 32


class BatchDigest:
    """A digest in the making; takes 32 bytes of memory for each delivered record."""

    def __init__(self, line: Callable[[Record], bytes] | None = None) -> None:
        """`line` is what counts of a record; its canonical line if none is given."""
        self._line = line or canonical_line
        self._rows = DistinctRows(_DIGEST_BYTES)

    def add(self, record: Record) -> None:
        """Take in a record; one that delivered nothing changes nothing."""
        if record.fate is Fate.DELIVERED:
            self._rows.add(hashlib.sha256(self._line(record)).digest())

    def merge(self, other: BatchDigest) -> None:
        """Take in all that the other one took in."""
        self._rows.merge(other._rows)

    def hexdigest(self) -> str:
        """Return the SHA-256 over the sorted digests of all lines, in hex."""
        total = hashlib.sha256()
        for digests in self._rows.groups():
            total.update(b"".join(digests))
        return total.hexdigest()


def canonical_line(record: Record) -> bytes:
    """Return what a record says of a delivery, whoever wrote it.

    Fields are parted by tabs and end with a line break, neither of which can stand in
    a place's text.
    """
    fields = (
        record.direction,
        "" if record.target is None else str(record.target),
        record.raw_sha256,
        str(record.raw_bytes),
        record.container_sha256,
        str(record.container_bytes),
    )
    return ("\t".join(fields) + "\n").encode()


def raw_line(record: Record) -> bytes:
    """Return the same without the container, which another codec makes otherwise."""
    fields = (
        record.direction,
        "" if record.target is None else str(record.target),
        record.raw_sha256,
        str(record.raw_bytes),
    )
    return ("\t".join(fields) + "\n").encode()
