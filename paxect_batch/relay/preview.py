"""Tell what a pass would do with each item, and why, without doing any of it."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.items import Kind
from paxect_batch.model.run import Decision, Planned, RunOptions, Verdict
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.scan import root_of, scan
from paxect_batch.seams import Share


def preview(share: Share, options: RunOptions, admitter: Admitter) -> Iterator[Planned]:
    """Give a line for each item, and for what is none but may hold some."""
    for direction in options.mode.directions:
        for entry in scan(share, root_of(direction)):
            if entry.kind is Kind.OTHER:
                waits = Decision(Verdict.WAITING, "unreadable")
                yield Planned(direction, entry.place, entry.place, 0, waits)
            if entry.kind is not Kind.FILE or not admitter.is_item(entry, direction):
                continue
            for item, decision in admitter.decide_all([entry], direction):
                yield Planned(
                    direction,
                    item.source,
                    admitter.target_of(item),
                    item.size,
                    decision,
                )
