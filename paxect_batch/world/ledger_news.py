"""Follow what all runs add to their ledgers, at the cost of those that may still grow.

A ledger grows as long as its run lives. One of a run that is not known to live is
followed all the same for a while: whoever joined a moment ago may not be known yet.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Generator, Iterator
from typing import IO

from paxect_batch.model.items import Kind
from paxect_batch.model.places import LINE_BYTES_MAX, Place
from paxect_batch.model.records import Record
from paxect_batch.seams import Share
from paxect_batch.world.ledger_files import (
    FOLDER,
    ledgers,
    record_in,
    run_of,
)
from paxect_batch.world.record_order import in_order

QUIET_SECONDS = 60.0
"""Nobody lives for so long without being known to."""


class LedgerNews:
    """What was read of the ledgers of all runs, or of all others."""

    def __init__(
        self, share: Share, own: Place | None, *, on_torn: Callable[[Place, int], None]
    ) -> None:
        """`own` is the ledger of a run that knows what it wrote, if it is left out.

        `on_torn` is told, once for each ledger, of the offset of a line that no run
        that lives is writing, and that is no record.
        """
        self._share = share
        self._own = own
        self._on_torn = on_torn
        self._torn: set[Place] = set()
        self._read_to: dict[Place, int] = {}
        self._ended: set[Place] = set()

    def read(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        """Give what was added since the last time. `living` are runs that may add.

        About in the order in which items ended.

        Who `looks_only` writes nothing, and may see old listings.
        """
        if self._share.lists_late and not looks_only:
            self._freshen()
        grow = [
            place
            for place in ledgers(self._share)
            if place != self._own and place not in self._ended
        ]
        yield from in_order(
            grow, lambda place: self._news_of(place, living, looks_only=looks_only)
        )

    def _freshen(self) -> None:
        """See the ledgers of runs that began this moment."""
        self._share.freshen(FOLDER)
        entries = self._share.entries(FOLDER)
        nodes = [entry.place for entry in entries if entry.kind is Kind.FOLDER]
        self._share.each(self._share.freshen, nodes)

    def _news_of(
        self, place: Place, living: Collection[str], *, looks_only: bool
    ) -> Generator[Record, None, None]:
        try:
            stream = self._share.open_source(place)
        except FileNotFoundError:
            return
        lives = run_of(place) in living
        with stream:
            ends = not (lives or looks_only) and self._is_quiet(stream)
            offset = self._read_to.get(place, 0)
            stream.seek(offset)
            lines = io.BufferedReader(stream)  # type: ignore[type-var]
            # A line without an end is being written, or was torn by a crash.
            while (line := lines.readline(LINE_BYTES_MAX)).endswith(b"\n"):
                record = record_in(line)
                if record is None:
                    self._tell_torn(place, offset)
                else:
                    yield record
                # Who is asked for no more may not have given on what was read ahead.
                offset += len(line)
                self._read_to[place] = offset
        if line and not lives:
            self._tell_torn(place, offset)
        if ends:
            self._ended.add(place)
            self._read_to.pop(place, None)

    def _is_quiet(self, stream: IO[bytes]) -> bool:
        changed_at = self._share.facts_of(stream).identity.mtime_ns / 1e9
        return self._share.now() - changed_at > QUIET_SECONDS

    def _tell_torn(self, place: Place, offset: int) -> None:
        if place not in self._torn:
            self._torn.add(place)
            self._on_torn(place, offset)
