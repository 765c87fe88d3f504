"""Ledgers in memory; all nodes of a share have them in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from paxect_batch.model.records import Record

Ledgers = dict[tuple[str, str], bytearray]


class MemoryLedger:
    """`seams.Ledger`. `ledgers` is what all runs on a share have in common."""

    def __init__(
        self, node: str = "node", run: str = "run", ledgers: Ledgers | None = None
    ) -> None:
        self.ledgers: Ledgers = {} if ledgers is None else ledgers
        self._own = (node, run)
        self._length = 0
        self._news = MemoryNews(self, own=self._own)

    def append(self, records: list[Record]) -> None:
        if not records:
            return
        data = self.ledgers.setdefault(self._own, bytearray())
        for record in records:
            data += msgspec.json.encode(record) + b"\n"
        self._length = len(data)

    def offset(self) -> int:
        return self._length

    def all(self) -> Iterator[Record]:
        for node, run in list(self.ledgers):
            yield from self.since(node, run, 0)

    def since(self, node: str, run: str, offset: int) -> Iterator[Record]:
        data = bytes(self.ledgers.get((node, run), b""))[offset:]
        for line in data.splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield msgspec.json.decode(line, type=Record)

    def news(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        return self._news.read(living, looks_only=looks_only)

    def follow(self) -> MemoryNews:
        return MemoryNews(self, own=None)

    @property
    def records(self) -> list[Record]:
        """This run's records."""
        return list(self.since(*self._own, 0))


class MemoryNews:
    """`seams.News`."""

    def __init__(self, ledger: MemoryLedger, *, own: tuple[str, str] | None) -> None:
        self._ledger = ledger
        self._own = own
        self._told: dict[tuple[str, str], int] = {}

    def read(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        del living, looks_only
        for owner, data in list(self._ledger.ledgers.items()):
            if owner != self._own:
                told, self._told[owner] = self._told.get(owner, 0), len(data)
                yield from self._ledger.since(*owner, told)
