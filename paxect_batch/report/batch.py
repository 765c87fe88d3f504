"""What several runs delivered together: digests, counts, and each run's part.

A delivery that two runs recorded, since one finished what the other began, counts once.
"""

from __future__ import annotations

import hashlib

from paxect_batch.model.audit import Batch, Part, Tally
from paxect_batch.model.places import Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.report.checksums import delivered_bytes
from paxect_batch.report.digest import BatchDigest, canonical_line, raw_line


class BatchFold:
    """A batch in the making: `begin_part` for each run, then `add` its records."""

    def __init__(self, batch: str) -> None:
        self._id = batch
        self._all = _Deliveries()
        self._parts: list[tuple[str, str, _Deliveries]] = []

    def begin_part(self, node: str, run: str) -> None:
        """Let the following records be of that run."""
        self._parts.append((node, run, _Deliveries()))

    def add(self, record: Record) -> None:
        """Take in a record; one that delivered nothing changes nothing."""
        if record.fate is Fate.DELIVERED:
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


class _Deliveries:
    def __init__(self) -> None:
        self.digest = BatchDigest()
        self.raw_digest = BatchDigest(raw_line)
        # 24 bytes in memory for each would do; a set tells twins without sorting.
        self._seen: dict[Root, set[bytes]] = {Root.OUTBOX: set(), Root.WIRE: set()}
        self._bytes = {Root.OUTBOX: 0, Root.WIRE: 0}

    def add(self, record: Record) -> None:
        self.digest.add(record)
        self.raw_digest.add(record)
        if record.target is None or record.target.root not in self._seen:
            return
        seen = self._seen[record.target.root]
        line = canonical_line(record) + str(record.identity).encode()
        mark = hashlib.sha256(line).digest()[:16]
        if mark not in seen:
            seen.add(mark)
            self._bytes[record.target.root] += delivered_bytes(record)

    @property
    def root(self) -> Root:
        """Where what was delivered last lies."""
        return Root.OUTBOX if self._seen[Root.OUTBOX] else Root.WIRE

    def tally(self, root: Root) -> Tally:
        return Tally(len(self._seen[root]), self._bytes[root])
