"""Finish what runs left that ended without leaving, and account for it.

Those of this node first, when it begins; then those of any node whose lease is over,
as soon as the locks tell of them.
"""

from __future__ import annotations

import contextlib
import errno

from paxect_batch.model.errors import ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.leases import Over
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.commit import Committer
from paxect_batch.relay.leavings import Leavings, tell_left
from paxect_batch.relay.recover import Recovery
from paxect_batch.seams import EventLog, Ledger, Locks, Share


class Rescuer:
    """Recovers runs for the run that it is `by`."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        ledger: Ledger,
        committer: Committer,
        *,
        account: Account,
        events: EventLog,
        by: state.Owner,
        leavings: Leavings,
    ) -> None:
        self._share = share
        self._locks = locks
        self._ledger = ledger
        self._committer = committer
        self._account = account
        self._events = events
        self._by = by
        self._leavings = leavings
        self._over: list[Over] = []

    def recover_own(self) -> None:
        """Finish what earlier runs of this node left, and what this one failed with."""
        self._run(Recovery(self._share, self._ledger, self._by.node, by=self._by))
        while self._committer.unsettled:
            self._committer.unsettled.pop().release()
        self._committer.promised.read()

    def come_back(self) -> None:
        """Finish what this run failed with; `OSError` while the share is away.

        That is told by the run's own folder: an empty mount point is no share.
        """
        folder = state.intent_folder(self._by)
        if self._share.look(folder) is None:
            raise FileNotFoundError(errno.ENOENT, "it is not there", str(folder))
        self.recover_own()

    def is_finished(self) -> bool:
        """Tell whether nothing stands that this run promised, after one more try."""
        if self._committer.unsettled:
            with contextlib.suppress(OSError, ShareError):
                self.recover_own()
        return not self._committer.unsettled

    def attend(self) -> None:
        """Recover the runs that are over by now; what fails is tried again."""
        for over in self._locks.over():
            self._over.append(over)
            self._events.write(
                Event.TAKE_OVER,
                src=over.node,
                status="taken over",
                message=f"run {over.run} shows no life; what it began is finished here",
            )
        for over in list(self._over):
            recovery = Recovery(
                self._share, self._ledger, over.node, by=self._by, only=over.run
            )
            self._run(recovery)
            if recovery.is_closed:
                self._locks.bury(over)
                self._over.remove(over)

    def sweep(self) -> None:
        """Remove the crumbs of whoever died since this run began."""
        recovery = Recovery(self._share, self._ledger, self._by.node, by=self._by)
        recovery.sweep_crumbs(beside_work=True)
        recovery.tell(self._events)

    def end_own(self) -> None:
        """Leave nothing of this run, which stages nothing any more."""
        Recovery(self._share, self._ledger, self._by.node, by=self._by).end()

    def _run(self, recovery: Recovery) -> None:
        try:
            recovery.run(self._committer.record)
        finally:
            # What was settled before it failed is told by nobody else.
            self._account_for(recovery)

    def _account_for(self, recovery: Recovery) -> None:
        for matter in recovery.settled:
            pledge = matter.pledge
            if matter.left is None:
                pass
            elif pledge.stage in self._committer.recorded:
                self._leavings.delivered(pledge, matter.left)
            else:
                tell_left(self._events, pledge, matter.left)
            self._committer.recorded.discard(pledge.stage)
        self._account.standing.recovered += len(recovery.settled)
        recovery.tell(self._events)
