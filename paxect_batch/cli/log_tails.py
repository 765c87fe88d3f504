"""The newest events of all nodes, from the ends of their logs on the share."""

from __future__ import annotations

import os

from paxect_batch.model.events import EventLine
from paxect_batch.relay import state
from paxect_batch.report.log_formats import event_in
from paxect_batch.seams import Share

LOGS_MAX = 64
TAIL_BYTES = 64 * 1024
EVENTS_MAX = 200


def newest_events(share: Share) -> tuple[EventLine, ...]:
    """Return events in the order in which they happened; lines that are none are left.

    Of nodes there are the first few, of each log its end.
    """
    found: list[EventLine] = []
    places = [
        place
        for place in state.files_in(share, state.state("log"))
        if place.name.endswith(".jsonl")
    ]
    for place in sorted(places)[:LOGS_MAX]:
        try:
            with share.open_source(place) as stream:
                end = stream.seek(0, os.SEEK_END)
                stream.seek(max(end - TAIL_BYTES, 0))
                data = stream.read(TAIL_BYTES) or b""
        except OSError:
            continue
        found += [line for each in data.splitlines() if (line := event_in(each))]
    found.sort(key=lambda line: line.datetime_utc)
    return tuple(found[-EVENTS_MAX:])
