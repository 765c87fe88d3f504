"""Count what a run that ends before its time leaves where it is.

Otherwise the audit would tell of what was begun alone, and pass for all.
"""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.errors import Exit, ShareError
from paxect_batch.model.items import Direction, Entry, Kind
from paxect_batch.model.run import Verdict
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.leavings import LEFT_BEHIND, Leavings
from paxect_batch.relay.others import Others
from paxect_batch.relay.rounds import chunks
from paxect_batch.relay.scan import root_of, scan
from paxect_batch.relay.trouble import share_error
from paxect_batch.seams import Clock, Locks, Share, StopSignal

COUNT_SECONDS_MAX = 10.0
STOPPED_COUNT_SECONDS_MAX = 1.0
"""Who told a run to stop waits for it."""


class Rest:
    """Goes over the share once more, and claims nothing."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        clock: Clock,
        stop: StopSignal,
        *,
        account: Account,
        leavings: Leavings,
    ) -> None:
        self._share = share
        self._locks = locks
        self._clock = clock
        self._stop = stop
        self._account = account
        self._leavings = leavings

    def count(
        self,
        learn: Callable[[], Admitter],
        directions: tuple[Direction, ...],
    ) -> None:
        """Count anew what is left, or say why not all of it is counted.

        `learn` takes in what others did by now.
        """
        why = ""
        try:
            if not self._is_counted(learn(), directions):
                why = "it would take long"
        except (OSError, ShareError) as error:
            why = share_error(error).message
        if why:
            self._account.standing.exit_codes.add(Exit.UNFINISHED)
            self._account.problem(f"not all that is left was counted: {why}")

    def _is_counted(
        self, admitter: Admitter, directions: tuple[Direction, ...]
    ) -> bool:
        others = Others(self._share, self._locks, admitter, self._account)
        others.meet()
        self._account.begin_pass()
        until = self._clock.monotonic() + (
            STOPPED_COUNT_SECONDS_MAX if self._stop.requested else COUNT_SECONDS_MAX
        )
        for direction in directions:
            entries = scan(self._share, root_of(direction))
            for chunk in chunks(entries, lambda: self._share.ahead):
                if self._stop.now or self._clock.monotonic() >= until:
                    return False
                free = [
                    entry
                    for entry in chunk
                    if self._is_item(entry, direction, admitter)
                    and not others.have(entry, direction)
                ]
                self._count(free, direction, admitter)
        others.add_up()
        return True

    def _is_item(self, entry: Entry, direction: Direction, admitter: Admitter) -> bool:
        if entry.kind is Kind.FILE:
            return admitter.is_item(entry, direction)
        self._account.passed_over(entry)
        return False

    def _count(
        self, entries: list[Entry], direction: Direction, admitter: Admitter
    ) -> None:
        for item, decision in admitter.decide_all(entries, direction):
            if decision.verdict is Verdict.ADMITTED:
                self._account.wait(item.size)
            elif decision.reason == LEFT_BEHIND:
                self._leavings.count(item)
            elif decision.verdict is not Verdict.DONE:
                self._account.decided(item, decision)
