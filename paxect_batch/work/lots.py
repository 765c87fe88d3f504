"""Do a lot: each item in turn, so that one item's trouble stays its own."""

from __future__ import annotations

import contextlib

from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Lot, Outcome, Result, Task
from paxect_batch.seams import Share
from paxect_batch.work.decode import decode_item
from paxect_batch.work.encode import encode_item


def do_lot(share: Share, lot: Lot) -> tuple[Outcome, ...]:
    """Return the outcome of each task, in their order."""
    return tuple(_do(share, task) for task in lot.tasks)


def _do(share: Share, task: Task) -> Outcome:
    encodes = task.direction is Direction.ENCODE
    outcome = encode_item(share, task) if encodes else decode_item(share, task)
    if outcome.result is not Result.STAGED:
        # On a share in trouble the stage stays for the sweeper.
        with contextlib.suppress(OSError):
            share.remove(task.stage)
            if encodes:
                share.remove(task.sidecar)
    return outcome
