"""A run's place among the nodes of the share: join, show life, see who is there."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

from paxect_batch.model.events import Event
from paxect_batch.model.leases import Lease
from paxect_batch.model.moments import utc
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import RunOptions
from paxect_batch.relay import batches, state
from paxect_batch.relay.account import Account
from paxect_batch.relay.rescue import Rescuer
from paxect_batch.relay.settle import run_over
from paxect_batch.rules.policy import policy_sha256
from paxect_batch.seams import Applicant, Clock, EventLog, Locks, Share

_CHANGE_SECONDS_MAX = 180.0
"""After so long each node has seen that the policy was changed, and has said so."""
SWEEP_SECONDS = 3600.0
"""So often a run sweeps crumbs; where only watches run, nobody else would."""


class Company:
    """The nodes of the share, as one run of them meets them."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        clock: Clock,
        rescuer: Rescuer,
        *,
        account: Account,
        events: EventLog,
        options: RunOptions,
        codec: str,
    ) -> None:
        self._share = share
        self._locks = locks
        self._clock = clock
        self._rescuer = rescuer
        self._account = account
        self._events = events
        self._options = options
        self._codec = codec
        self._owner = state.Owner(options.node, options.run)
        self._started = self._swept = clock.monotonic()
        self._alike: dict[str, float] = {}
        """When each run was seen last to work as this one does."""
        self.batch = options.run
        """The batch that the run belongs to, once it joined."""
        self._made_by = ""
        self.is_last = False
        """Whether no other run of the batch was left when this one left."""

    def join(self, policy: Policy, *, is_stopping: Callable[[], bool]) -> None:
        """Become the node; see `seams.Locks` for what keeps it from that."""
        self._made_by = f"{self._codec} {policy_sha256(policy)}"
        self.batch = self._locks.join(
            Applicant(
                node=self._options.node,
                run=self._options.run,
                since=utc(self._clock.now()),
                codec=self._codec,
                policy_sha256=policy_sha256(policy),
                allow_mixed=self._options.allow_mixed,
                is_stopping=is_stopping,
            )
        )

    def begin(self) -> None:
        """Enter the batch, and finish what earlier runs of the node left."""
        batches.note_run(self._share, self.batch, self._owner, self._made_by)
        self._rescuer.recover_own()

    def attend(self, policy: Policy) -> None:
        """Say how the run stands, and see to runs of others that are over.

        Raises `RunOver` if this one is.
        """
        if self._locks.is_lost:
            raise run_over(self._owner)
        own = self._codec, policy_sha256(policy)
        others = self._locks.others()
        for other in others:
            if self._mixes(other, own):
                self._account.standing.mixed = True
                self._account.say_once(
                    Event.MIXED,
                    src=other.node,
                    status="mixed",
                    message=f"{other.codec}, policy {other.policy_sha256[:12]}",
                )
        living = {other.run for other in others}
        self._alike = {run: at for run, at in self._alike.items() if run in living}
        word = self._account.word(self._clock.monotonic() - self._started)
        self._locks.tell(word, own[1])
        self._rescuer.attend()
        if self._clock.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = self._clock.monotonic()
            # Nothing rests on it; a share in trouble shows in other steps.
            with contextlib.suppress(OSError):
                self._rescuer.sweep()

    def _mixes(self, other: Lease, own: tuple[str, str]) -> bool:
        """Tell whether another node makes other containers than this one.

        Not where both did alike before, and one of them has yet to hear of a change.
        """
        now = self._clock.monotonic()
        if (other.codec, other.policy_sha256) == own:
            self._alike[other.run] = now
            return False
        return now - self._alike.get(other.run, -math.inf) > _CHANGE_SECONDS_MAX

    def may_free_items(self, elsewhere: int) -> bool:
        """Tell whether to look again soon for what others hold: so many items.

        A drain that waits does so to their end. Any other stays only until each node
        was heard, or its lease is over: nobody may ever run longer, to take it over.
        """
        return bool(self._options.wait and elsewhere) or self._locks.has_unheard()

    def is_over(self) -> bool:
        """Tell whether others are known to have taken this run for dead."""
        try:
            return not self._locks.stands()
        except OSError:
            return False

    def leave(self) -> None:
        """Give the node's place back, or let others find out that it is free.

        They find out, and finish, what this run promised and could not keep.
        """
        is_finished = self._locks.is_lost or self._rescuer.is_finished()
        self.is_last = self._locks.leave(unfinished=not is_finished)
