"""Give the records of many ledgers about in the order in which items ended.

So who follows what was made, and then decoded, has to remember only what lies between,
and not what a ledger tells that is read before the other. Runs begin in the order of
their names; of so many that began first, the earliest record comes next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable

from paxect_batch.model.places import Place
from paxect_batch.model.records import Record
from paxect_batch.world.ledger_files import run_of

OPEN_MAX = 128
"""Ledgers that are read side by side: more than there are nodes."""

Read = Callable[[Place], Generator[Record, None, object]]


def in_order(ledgers: Iterable[Place], read: Read) -> Generator[Record, None, None]:
    """Give what `read` gives of each ledger; none is read before its turn has come."""
    waiting = sorted(ledgers, key=run_of, reverse=True)
    heads: list[tuple[str, int, Record, Generator[Record, None, object]]] = []
    try:
        while waiting or heads:
            while waiting and len(heads) < OPEN_MAX:
                # The number makes heads of one time differ.
                number, records = -len(waiting), read(waiting.pop())
                first = next(records, None)
                if first is not None:
                    heapq.heappush(heads, (first.at, number, first, records))
            if not heads:
                continue
            _, number, record, records = heads[0]
            yield record
            following = next(records, None)
            if following is None:
                heapq.heappop(heads)
            else:
                heapq.heapreplace(heads, (following.at, number, following, records))
    finally:
        for *_, records in heads:
            records.close()
