"""What several runs delivered together: digests, counts, and each part.

A delivery that two runs recorded, since one finished what the other began, counts once.
"""

from __future__ import annotations

import hashlib

from paxect_batch.model.audit import Batch, Part, Tally
from paxect_batch.model.places import Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.report.checksums import delivered_bytes
from paxect_batch.report.digest import BatchDigest, canonical_line, raw_line
from paxect_batch.report.distinct_rows import DistinctRows

_MARK_BYTES = 16
_SIZE_BYTES = 8
_ROW_BYTES = _MARK_BYTES + _SIZE_BYTES


class BatchFold:
    """A batch in the making: `begin_part` for each run, then `add` its records."""

    def __init__(self, batch: str) -> None:
        self._id = batch
        self._all = Delivered()
        self._parts: list[tuple[str, str, Delivered]] = []

    def begin_part(self, node: str, run: str) -> None:
        """Let the following records be of that run."""
        self._parts.append((node, run, Delivered()))

    def add(self, record: Record) -> None:
        """Take in a record; one that delivered nothing changes nothing."""
        self._all.add(record)
        self._parts[-1][2].add(record)

    def batch(self, *, mixed: bool) -> Batch:
        """Return the batch; every part counts what the batch counts."""
        root = self._all.root
        return Batch(
            id=self._id,
            digest=self._all.digest.hexdigest(),
            raw_digest=self._all.raw_digest.hexdigest(),
            delivered=self._all.tally(root),
            mixed=mixed,
            parts=tuple(
                Part(node, run, part.tally(root), part.digest.hexdigest())
                for node, run, part in self._parts
            ),
        )


class Delivered:
    """Deliveries added up; each record of one takes 88 bytes of memory."""

    def __init__(self) -> None:
        self.digest = BatchDigest()
        self.raw_digest = BatchDigest(raw_line)
        self._counts = {Root.OUTBOX: _DistinctSizes(), Root.WIRE: _DistinctSizes()}

    def add(self, record: Record) -> None:
        """Take in a record; one that delivered nothing changes nothing."""
        if record.fate is not Fate.DELIVERED:
            return
        self.digest.add(record)
        self.raw_digest.add(record)
        if record.target is not None and record.target.root in self._counts:
            # Not by the digest's line alone: the same file may be dropped again.
            line = canonical_line(record) + str(record.identity).encode()
            self._counts[record.target.root].add(line, delivered_bytes(record))

    @property
    def root(self) -> Root:
        """Where what was delivered last lies."""
        return Root.WIRE if self._counts[Root.OUTBOX].is_empty else Root.OUTBOX

    def tally(self, root: Root) -> Tally:
        """Return how much was delivered to that root."""
        return self._counts[root].tally()


class _DistinctSizes:
    """Sizes by what they are of; what is added twice counts once."""

    def __init__(self) -> None:
        self._rows = DistinctRows(_ROW_BYTES)

    @property
    def is_empty(self) -> bool:
        return not self._rows

    def add(self, line: bytes, size: int) -> None:
        mark = hashlib.sha256(line).digest()[:_MARK_BYTES]
        self._rows.add(mark + size.to_bytes(_SIZE_BYTES, "big"))

    def tally(self) -> Tally:
        files = size = 0
        for rows in self._rows.groups():
            files += len(rows)
            size += sum(int.from_bytes(row[_MARK_BYTES:], "big") for row in rows)
        return Tally(files, size)
