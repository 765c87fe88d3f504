"""Do a lot: each item in turn, so that one item's trouble stays its own.

What items wrote is made durable for some of them together, which waits less.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import IO

from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Lot, Outcome, Result, Task
from paxect_batch.seams import Share
from paxect_batch.work.decode import decode_item
from paxect_batch.work.encode import encode_item
from paxect_batch.work.meter import Meter, Tell, unheard
from paxect_batch.work.outcomes import of_stage
from paxect_batch.work.trial import try_out

SYNCED_TOGETHER_MAX = 64
"""Of so many items files are open at once, two of each."""


def do_lot(share: Share, lot: Lot, tell: Tell = unheard) -> tuple[Outcome, ...]:
    """Return the outcome of each task, in their order; tell how far it has come."""
    outcomes: list[Outcome] = []
    meter = Meter(tell)
    if lot.trial is not None:
        try_out(lot.trial)
    for begin in range(0, len(lot.tasks), SYNCED_TOGETHER_MAX):
        tasks = lot.tasks[begin : begin + SYNCED_TOGETHER_MAX]
        outcomes += _do(share, tasks, meter)
    return tuple(outcomes)


def _do(share: Share, tasks: Sequence[Task], meter: Meter) -> list[Outcome]:
    tries = [_Try(task) for task in tasks]
    try:
        share.each(lambda each: each.stage(share, meter), tries)
        _sync(share, tries)
    finally:
        share.each(_Try.close, tries)
    return [each.ended(share) for each in tries]


class _Try:
    """One task, and the files that it wrote."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._encodes = task.direction is Direction.ENCODE
        self._wrote: list[IO[bytes]] = []
        self._outcome = Outcome(Result.FAILED)

    @property
    def to_sync(self) -> list[IO[bytes]]:
        """What must be durable for the outcome to stand."""
        return self._wrote if self._outcome.result is Result.STAGED else []

    def stage(self, share: Share, meter: Meter) -> None:
        """Do it, but for making it durable."""
        do = encode_item if self._encodes else decode_item
        self._outcome = do(share, self._task, self._wrote, meter)

    def fail(self, error: OSError) -> None:
        """Take it that what was staged is lost."""
        self._outcome = of_stage(error)

    def close(self) -> None:
        """Close what it wrote."""
        for stream in self._wrote:
            try:
                stream.close()
            except OSError as error:
                if self._outcome.result is Result.STAGED:
                    self.fail(error)

    def ended(self, share: Share) -> Outcome:
        """Return the outcome; unless it is staged, nothing of it is left."""
        if self._outcome.result is not Result.STAGED:
            # On a share in trouble the stage stays for the sweeper.
            with contextlib.suppress(OSError):
                share.remove(self._task.stage)
                if self._encodes:
                    share.remove(self._task.sidecar)
        return self._outcome


def _sync(share: Share, tries: Sequence[_Try]) -> None:
    owned = [(each, stream) for each in tries for stream in each.to_sync]
    met = share.sync_all([stream for _, stream in owned])
    for (each, _), error in zip(owned, met, strict=True):
        if error is not None:
            each.fail(error)
