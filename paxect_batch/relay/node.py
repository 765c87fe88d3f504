"""Run a node: passes over the share until nothing is left, or for as long as told.

What a pass does with items is in `passes`. Here is what surrounds it: holding the
node's place on the share, finishing what an earlier run left, meeting the other nodes,
waiting, and stopping in an orderly way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import paxect_core
from paxect_batch.model.audit import Batch
from paxect_batch.model.errors import NoWorkers, RunOver, ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Mode
from paxect_batch.model.moments import utc
from paxect_batch.model.nodes import NodeManifest
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import Planned, RunOptions, Standing
from paxect_batch.relay import batches, handshake, state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.closing import Closing
from paxect_batch.relay.commit import Committer
from paxect_batch.relay.commits import AtOnce
from paxect_batch.relay.company import Company
from paxect_batch.relay.dispatch import Dispatcher
from paxect_batch.relay.draining import drain
from paxect_batch.relay.leavings import Leavings
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.passes import Pass
from paxect_batch.relay.policy_in_force import PolicyInForce
from paxect_batch.relay.preview import preview
from paxect_batch.relay.record import Recorder
from paxect_batch.relay.rescue import Rescuer
from paxect_batch.relay.rest import Rest
from paxect_batch.relay.settle import run_over
from paxect_batch.relay.tasks import TaskMaker
from paxect_batch.relay.trouble import Trouble, share_error, told_by_watch
from paxect_batch.relay.trust import Peers, Trust
from paxect_batch.relay.waiting import Waiting
from paxect_batch.rules.plan import in_flight_bytes_max
from paxect_batch.seams import (
    Bell,
    Beside,
    Clock,
    EventLog,
    Executor,
    Gauges,
    Ledger,
    Load,
    Locks,
    Share,
    StopSignal,
)

_PAUSE_SECONDS_MAX = 30.0


class Node:
    """One node's run on one share."""

    def __init__(
        self,
        *,
        share: Share,
        locks: Locks,
        clock: Clock,
        executor: Executor,
        ledger: Ledger,
        events: EventLog,
        load: Load,
        options: RunOptions,
        policy: Callable[[], Policy],
        key: bytes | None,
        stop: StopSignal,
        progress: Callable[[Standing], None] | None = None,
        manifest: NodeManifest | None = None,
        peers: Peers | None = None,
        codec: str = paxect_core.CODEC_VERSION,
        account: Account | None = None,
        gauges: Gauges | None = None,
        beside: Beside | None = None,
        bell: Bell | None = None,
    ) -> None:
        """`account` is that of a run before this one, which others took for dead.

        Without gauges the run goes at full pace; without a bell it sees what comes
        when it looks.
        """
        self._share = share
        self._locks = locks
        self._clock = clock
        self._ledger = ledger
        self._events = events
        self._options = self.options = options
        self._key = key
        self._stop = stop
        self._beside = beside or AtOnce()
        self._manifest = manifest
        self.account = self._account = account or Account(
            options.mode, events, progress
        )
        self.policy = PolicyInForce(policy, events)
        self._closing = Closing(clock, stop, options, self.account)
        self._done = Done()
        self._trust = Trust(
            peers or (lambda fresh: handshake.peers_on_share(share, fresh=fresh)),
            ledger.follow(),
            events,
            options=options,
            key=key,
        )
        self._recorder = Recorder(node=options.node, run=options.run, codec=codec)
        self._committer = Committer(
            share,
            ledger,
            self._recorder,
            node=options.node,
            run=options.run,
            stamp=lambda: utc(share.now()),
            stands=locks.stands,
            delivered=self._account.delivered,
            done=self._done,
            trust=self._trust,
        )
        self._trouble = Trouble(
            share,
            ledger,
            events,
            self._recorder,
            self._account,
            node=options.node,
            run=options.run,
            stamp=lambda: utc(share.now()),
            stands=locks.stands,
        )
        self._dispatcher = Dispatcher(
            executor,
            workers=options.workers,
            bytes_max=in_flight_bytes_max(options.workers),
        )
        self._pacer = Pacer(
            gauges,
            clock,
            events,
            self._dispatcher,
            options=options,
            cores=load.cores(),
            account=self._account,
        )
        self._waiting = Waiting(
            clock,
            closing=self._closing,
            pacer=self._pacer,
            account=self._account,
            attend=self._attend,
            poll_seconds=options.poll_seconds,
            bell=bell,
        )
        self._owner = state.Owner(options.node, options.run)
        self._tasks = TaskMaker(
            share, owner=self._owner, cores=load.cores(), workers=options.workers
        )
        self._leavings = Leavings(
            share, self._account, events, by=self._owner, clock=clock
        )
        self._rescuer = Rescuer(
            share,
            locks,
            ledger,
            self._committer,
            account=self._account,
            events=events,
            by=self._owner,
            leavings=self._leavings,
        )
        self._company = Company(
            share,
            locks,
            clock,
            self._rescuer,
            account=self._account,
            events=events,
            options=options,
            codec=codec,
        )

    @property
    def digest(self) -> str:
        """The batch digest of this run."""
        return self._account.digest.hexdigest()

    def close_batch(self) -> Batch | None:
        """Return what all runs of the batch delivered, if this was the last of them.

        What was written down of the batch is removed.
        """
        batch, ledger = self._company.batch, self._ledger
        if not self._company.is_last:
            batches.thin_out(self._share, ledger, batch, self._owner)
            return None
        return batches.close(self._share, ledger, batch, mixed=self.standing.mixed)

    @property
    def standing(self) -> Standing:
        """How the run stands."""
        return self._account.standing

    def plan(self) -> Iterator[Planned]:
        """Tell what a pass would do, and why, changing nothing and claiming nothing."""
        policy = self.policy.read()
        self._done.learn(self._ledger, policy, (), looks_only=True)
        self._trust.look(policy, (), looks_only=True)
        # The share's own time takes a write to learn; this is the next best.
        admitter = self._admitter(policy, now=self._clock.now, looks_only=True)
        return preview(self._share, self._options, admitter)

    def run(self) -> Standing:
        """Serve the share until done or told to stop.

        Raises `NotReady` if another run is the node, `ConfigError` for a policy that
        cannot be meant or would mix the batch, `ShareError` when the share failed a
        drain, `RunOver` when others took this run for dead. Any node can go on then.
        """
        policy = self.policy.read()
        try:
            self._company.join(policy, is_stopping=self._closing.is_stopping)
        except OSError as error:
            raise share_error(error) from error
        try:
            self._begin(policy)
            if self._options.watch:
                self._watch()
            else:
                drain(
                    self._share,
                    self._options,
                    closing=self._closing,
                    waiting=self._waiting,
                    company=self._company,
                    serve=self._pass,
                )
            self._drop_unfinished()
            self._count_rest()
        except RunOver as error:
            raise self._lose(error) from None
        except (OSError, ShareError) as error:
            if not self._company.is_over():
                raise share_error(error) from error
            # Who swept this run's stages made the share refuse; not the share itself.
            raise self._lose(run_over(self._owner)) from error
        finally:
            self._end()
        return self._account.standing

    def _lose(self, error: RunOver) -> RunOver:
        self._events.write(Event.LEASE_LOST, status="error", message=error.message)
        return error

    def _begin(self, policy: Policy) -> None:
        self._events.write(Event.STARTUP, message=f"mode {self._options.mode}")
        self._committer.begin()
        self._company.begin()
        if self._manifest is not None:
            handshake.introduce(self._share, self._manifest, self._key)
        self._trust.look(policy, self._living())

    def _drop_unfinished(self) -> None:
        self._abandon()
        if not self._stop.now:
            self._rescuer.end_own()

    def _count_rest(self) -> None:
        """Count what was not begun, unless the last pass looked at all of it."""
        if self.standing.stopped in ("", "max-files") or self._stop.now:
            return
        Rest(
            self._share,
            self._locks,
            self._clock,
            self._stop,
            account=self._account,
            leavings=self._leavings,
        ).count(self._as_it_stands, self._options.mode.directions)

    def _end(self) -> None:
        self._abandon()
        self._account.show()
        self._company.leave()
        self._events.write(Event.SHUTDOWN, message=self._account.standing.stopped)

    def _abandon(self) -> None:
        for flight in self._dispatcher.abandon():
            for task in flight.lot.tasks:
                self._account.wait(task.identity.size)
            for claim in flight.claims:
                claim.release()

    def _watch(self) -> None:
        """Make passes until told to stop; wait while the share is in trouble."""
        pause, in_trouble = 1.0, False
        while not self._closing.is_due():
            try:
                if in_trouble:
                    # Until that is done nobody may have what the run failed with.
                    self._rescuer.come_back()
                    self._events.write(Event.SHARE_BACK)
                    in_trouble = False
                if not self._waiting.for_pace(patient=True):
                    continue
                begun = self._clock.monotonic()
                served = self._pass()
                pause = 1.0
                if not served.paused:
                    took = self._clock.monotonic() - begun
                    self._waiting.for_more(
                        served.wait_seconds,
                        after=took,
                        was_idle=served.was_idle,
                    )
            except (OSError, ShareError, NoWorkers) as error:
                self._pause(share_error(error), pause)
                pause, in_trouble = min(pause * 2, _PAUSE_SECONDS_MAX), True

    def _living(self) -> set[str]:
        return {lease.run for lease in self._locks.others()}

    def _learn(self) -> None:
        self._done.learn(self._ledger, self.policy.last, self._living())

    def _attend(self) -> None:
        self._company.attend(self.policy.last)

    def _meet(self) -> tuple[Policy, Admitter]:
        """Learn what holds by now, and what others did."""
        policy = self.policy.read()
        self._attend()
        self._learn()
        self._trust.look(policy, self._living())
        self._pacer.begin_pass(policy)
        return policy, self._admitter(policy, now=self._share.now)

    def _as_it_stands(self) -> Admitter:
        self._learn()
        return self._admitter(self.policy.last, now=self._share.now)

    def _pass(self) -> Pass:
        served = Pass(
            self._share,
            self._locks,
            self._clock,
            self._options,
            meet=self._meet,
            account=self._account,
            trouble=self._trouble,
            leavings=self._leavings,
            committer=self._committer,
            dispatcher=self._dispatcher,
            pacer=self._pacer,
            tasks=self._tasks,
            events=self._events,
            done=self._done,
            learn=self._learn,
            attend=self._attend,
            closing=self._closing,
            beside=self._beside,
        )
        try:
            served.run()
        finally:
            self._account.files_taken += served.files_taken
        return served

    def _admitter(
        self, policy: Policy, *, now: Callable[[], float], looks_only: bool = False
    ) -> Admitter:
        return Admitter(
            self._share,
            policy,
            in_place=self._options.in_place,
            # Only who also decodes here finds what an alias stands for.
            aliases=self._options.mode is Mode.RELAY,
            node=self._options.node,
            now=now,
            done=self._done,
            trust=self._trust,
            left=self._leavings.left,
            looks_only=looks_only,
        )

    def _pause(self, error: ShareError, seconds: float) -> None:
        """Wait for the share to come back."""
        told = told_by_watch(error)
        self._events.write(Event.SHARE_TROUBLE, status="error", message=told)
        self._abandon()
        self._waiting.sleep(seconds, attends=False)
        if self._company.is_over():
            raise run_over(self._owner)
