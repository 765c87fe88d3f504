"""Ledgers: append-only JSON lines, one file for each node and run.

A run appends to its own file only, which it made; so the torn end that a crash leaves
is never written behind. A line that is torn or cannot be read is left out and told of.
An append that fails leaves the file as it was.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Collection, Iterator
from typing import IO

import msgspec

from paxect_batch.model.about import About
from paxect_batch.model.items import Kind
from paxect_batch.model.places import LINE_BYTES_MAX, Place
from paxect_batch.model.records import Record
from paxect_batch.seams import Share
from paxect_batch.world.ledger_files import (
    ledger_place,
    ledgers,
    record_in,
)
from paxect_batch.world.ledger_news import LedgerNews
from paxect_batch.world.wholes import write_whole

_encoder = msgspec.json.Encoder()

Torn = Callable[[Place, int], None]
"""Told of a ledger and the offset of a line in it that was left out."""


def ignore_torn(ledger: Place, offset: int) -> None:
    """Tell nobody."""


class FileLedger:
    """See `seams.Ledger`. The file is made by the first append."""

    def __init__(
        self, share: Share, node: str, run: str, *, on_torn: Torn = ignore_torn
    ) -> None:
        self._share = share
        self._place = ledger_place(node, run)
        self._on_torn = on_torn
        self._stream: IO[bytes] | None = None
        self._offset = 0
        self._is_listed = False
        """Whether the file's name is durable."""
        self._clean = True
        """Whether the file ends where it should."""
        self._lock = threading.Lock()
        """One thread may append while another reads."""
        self._news = LedgerNews(share, self._place, on_torn=on_torn)

    def append(self, records: list[Record]) -> None:
        """See `seams.Ledger`. An `OSError` means that none of them was added."""
        if not records:
            return
        data = b"".join(_encoder.encode(record) + b"\n" for record in records)
        with self._lock:
            self._append(data)

    def _append(self, data: bytes) -> None:
        stream = self._stream = self._stream or self._create()
        if not self._clean:
            self._cut(stream)
        self._clean = False
        try:
            with About(self._place):
                write_whole(stream, data)
                self._share.sync(stream)
            if not self._is_listed:
                self._share.sync_folder(self._place.folder)
                self._is_listed = True
        except OSError:
            # If this fails as well, the next append begins with it.
            with contextlib.suppress(OSError):
                self._cut(stream)
            raise
        self._clean = True
        self._offset += len(data)

    def _create(self) -> IO[bytes]:
        try:
            return self._share.create(self._place)
        except FileExistsError:
            found = self._share.look(self._place)
            if found is None or found.identity.size:
                raise
            # A call of this run made it, and failed all the same.
            self._share.remove(self._place)
            return self._share.create(self._place)

    def _cut(self, stream: IO[bytes]) -> None:
        stream.truncate(self._offset)
        stream.seek(self._offset)
        self._clean = True

    def offset(self) -> int:
        """See `seams.Ledger`."""
        return self._offset

    def since(self, node: str, run: str, offset: int) -> Iterator[Record]:
        """See `seams.Ledger`. None if there is no such ledger."""
        place = ledger_place(node, run)
        if place == self._place:
            with self._lock:
                if self._stream is not None and not self._clean:
                    # What may be there of an append that failed was never
                    # acknowledged.
                    self._cut(self._stream)
        return read_ledger(self._share, place, offset, self._on_torn)

    def all(self) -> Iterator[Record]:
        """See `seams.Ledger`. Ledger by ledger, in no order."""
        return all_records(self._share, self._on_torn)

    def news(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        """See `seams.Ledger`."""
        return self._news.read(living, looks_only=looks_only)

    def follow(self) -> LedgerNews:
        """See `seams.Ledger`."""
        return LedgerNews(self._share, None, on_torn=self._on_torn)

    def close(self) -> None:
        """Close the file; all that was appended is durable."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()


def all_records(share: Share, on_torn: Torn = ignore_torn) -> Iterator[Record]:
    """Stream the records of all runs of all nodes, in no order."""
    for place in ledgers(share, of_any_kind=True):
        yield from read_ledger(share, place, 0, on_torn)


def read_ledger(
    share: Share, place: Place, offset: int, on_torn: Torn = ignore_torn
) -> Iterator[Record]:
    """Stream the records of one ledger from an offset on; none if it is not there."""
    try:
        stream = share.open_source(place)
    except FileNotFoundError:
        return
    except OSError:
        facts = share.look(place)
        if facts is None or facts.kind is Kind.FILE:
            raise
        on_torn(place, offset)
        return
    with stream:
        stream.seek(offset)
        lines = io.BufferedReader(stream)  # type: ignore[type-var]
        while line := lines.readline(LINE_BYTES_MAX):
            record = record_in(line)
            if record is None:
                on_torn(place, offset)
            else:
                yield record
            offset += len(line)
