"""A drain: passes over a share until nothing is left that could be taken."""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.run import RunOptions
from paxect_batch.relay.closing import Closing, patience_seconds
from paxect_batch.relay.company import Company
from paxect_batch.relay.passes import Pass
from paxect_batch.relay.scan import freshen, root_of
from paxect_batch.relay.waiting import Waiting
from paxect_batch.seams import Share

_WAIT_SECONDS = 0.5
"""How often a drain that waits for other nodes looks what is left."""


def drain(
    share: Share,
    options: RunOptions,
    *,
    closing: Closing,
    waiting: Waiting,
    company: Company,
    serve: Callable[[], Pass],
) -> None:
    """Make passes by `serve`; the standing says so if it ended before its time."""
    waited, freshened = 0.0, False
    while not closing.is_due():
        if not waiting.for_pace(patient=False):
            return
        served = serve()
        if served.progressed or served.paused:
            waited, freshened = 0.0, False
        elif served.wait_seconds <= patience_seconds(served.policy) - waited:
            waited += served.wait_seconds
            waiting.sleep(served.wait_seconds)
        elif company.may_free_items(served.elsewhere):
            waiting.sleep(_WAIT_SECONDS)
            freshened = False
        elif not freshened:
            # Listings may be old; nothing is left only when a fresh one says so.
            for root in {root_of(d) for d in options.mode.directions}:
                freshen(share, root)
            freshened = True
        else:
            return
