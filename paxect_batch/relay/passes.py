"""One pass over the share: have items claimed, hand out, commit what comes back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from paxect_batch.model.errors import BatchError
from paxect_batch.model.items import Direction, Mode
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import RunOptions
from paxect_batch.model.transfer import Lot, Outcome, Result, Task
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.closing import Closing
from paxect_batch.relay.commit import Committer
from paxect_batch.relay.commits import COMMITS_MAX, Commits, Steps
from paxect_batch.relay.deaths import Deaths
from paxect_batch.relay.dispatch import Dispatcher, Flight
from paxect_batch.relay.endings import Endings
from paxect_batch.relay.gather import Gatherer
from paxect_batch.relay.leavings import Leavings
from paxect_batch.relay.matters import Matter
from paxect_batch.relay.onward import Onward
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.sweep import Sweeper
from paxect_batch.relay.taking import Taken
from paxect_batch.relay.tasks import TaskMaker
from paxect_batch.relay.trouble import Trouble
from paxect_batch.rules.plan import LotBuilder
from paxect_batch.rules.steps import Step
from paxect_batch.seams import Beside, Claim, Clock, EventLog, Locks, Share

_SLICE_SECONDS = 0.2
_LONG_SECONDS = 5.0
"""After so long with a worker it is asked whose a claim is, before it is acted on."""
_REST = 10
"""While it waits for what is out, it looks for more a tenth of the time at most."""


class Pass:
    """One pass; `run` it once, then read what it was like."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        clock: Clock,
        options: RunOptions,
        *,
        meet: Callable[[], tuple[Policy, Admitter]],
        account: Account,
        trouble: Trouble,
        leavings: Leavings,
        committer: Committer,
        dispatcher: Dispatcher,
        pacer: Pacer,
        tasks: TaskMaker,
        events: EventLog,
        done: Done,
        learn: Callable[[], None],
        attend: Callable[[], None],
        closing: Closing,
        beside: Beside,
    ) -> None:
        """`meet` learns what holds, and who lives, by now."""
        self._share = share
        self._locks = locks
        self._clock = clock
        self._options = options
        self._is_relay = options.mode is Mode.RELAY
        self._meet = meet
        self._account = account
        self._trouble = trouble
        self._leavings = leavings
        self._committer = committer
        self._dispatcher = dispatcher
        self._pacer = pacer
        self._tasks = tasks
        self._done = done
        self._learn = learn
        self._attend = attend
        self._closing = closing
        self._beside = beside
        self._commits = Commits(beside)
        self._sweeper = Sweeper(share)
        self._builder = LotBuilder()
        self._claims: dict[Place, tuple[Claim, int]] = {}
        self._targets: dict[Place, Place] = {}
        self.busy: set[str] = set()
        self._deaths = Deaths(share, events, dispatcher)
        self._look()
        self.progressed = False
        """Whether anything came to its end."""
        self.files_taken = 0
        self._counted: set[Place] = set()
        """Stages of what is out and counts as taken."""
        self.paused = False
        """Whether it ended early, since nothing was to be claimed for a while."""
        self._looked_at = self._rest_seconds = 0.0

    def _look(self) -> None:
        """Begin to look for more, by what holds now."""
        self.policy, self._admitter = self._meet()
        self._endings = Endings(
            self._share,
            self.policy,
            admitter=self._admitter,
            account=self._account,
            trouble=self._trouble,
            leavings=self._leavings,
        )
        self._gatherer = Gatherer(
            self._share,
            self._locks,
            self._options,
            self.policy,
            self,
            admitter=self._admitter,
            account=self._account,
            endings=self._endings,
            leavings=self._leavings,
            promised=self._committer.promised,
            pacer=self._pacer,
            sweeper=self._sweeper,
            done=self._done,
            learn=self._learn,
            files_left=self._closing.files_left(),
        )

        self._onward = Onward(
            self._admitter, self._gatherer, self._account, rests=self._rests
        )

    def _rests(self) -> bool:
        self.paused = self.paused or self._pacer.is_paused
        return self._closing.is_stopping() or self.paused

    @property
    def wait_seconds(self) -> float:
        """When the first of the waiting items may be ready."""
        return self._endings.wait_seconds

    @property
    def elsewhere(self) -> int:
        """Items that other nodes hold."""
        return self._gatherer.others.items

    @property
    def was_idle(self) -> bool:
        """Whether there was nothing to do, for any node."""
        return not (self.progressed or self.elsewhere or self._endings.have_failed)

    def run(self) -> None:
        """Serve each direction, and finish what was begun."""
        try:
            self._gather()
            while not self._closing.is_stopping():
                if self._may_look():
                    self._look()
                    self._gather()
                elif self._is_idle():
                    break
                else:
                    self.wait_a_while()
                    self.flush()
            self._commits.finish()
            self._trouble.record()
            if not self.progressed or self._closing.is_due():
                # For a board, their number does until then: each node would ask, for
                # each item.
                self._gatherer.others.add_up()
        except Exception:
            # What one commit met is no reason to leave another half done.
            self._commits.finish()
            raise
        finally:
            for claim, size in self._claims.values():
                claim.release()
                self._account.wait(size)
            self._claims.clear()
            for task, claim in self._deaths.spared():
                claim.release()
                self._account.wait(task.identity.size)

    def _gather(self) -> None:
        begun, taken = self._clock.monotonic(), self.files_taken
        self._gatherer.gather()
        self._looked_at = self._clock.monotonic()
        in_vain = self.files_taken == taken
        took = self._looked_at - begun
        poll_seconds = self._options.poll_seconds
        self._rest_seconds = max(poll_seconds, _REST * took if in_vain else 0.0)

    def _may_look(self) -> bool:
        """Tell whether to look for more while large files are out, or as one is done.

        What came meanwhile is not to wait for them; nor are those, where one was all
        that could be out.
        """
        if self._is_full():
            return False
        since = self._clock.monotonic() - self._looked_at
        is_due = since >= self._rest_seconds and not self._is_idle()
        is_freed = len(self.giants) < self._gatherer.held_back_by
        return (is_due or is_freed) and not self.is_ending()

    @property
    def giants(self) -> Collection[int]:
        """See `gather.Underway`."""
        return self._dispatcher.giants

    def _is_idle(self) -> bool:
        return self._dispatcher.is_empty() and not self._commits

    def _is_full(self) -> bool:
        return self._dispatcher.is_full() or len(self._commits) > COMMITS_MAX

    def is_ending(self) -> bool:
        """See `gather.Underway`."""
        self._pacer.look()
        self.paused = self.paused or self._pacer.is_paused
        return self.paused or self._closing.is_due()

    def take(self, wanted: Sequence[Taken]) -> None:
        """See `gather.Underway`."""
        self._begin(self._gatherer.taker.take(wanted), counts=True)

    def _begin(self, taken: Sequence[Taken], *, counts: bool) -> None:
        for each in taken:
            assert each.claim is not None
            self._claims[each.target] = each.claim, each.item.size
        if counts:
            self.files_taken += len(taken)
        for each in taken:
            item = each.item
            task = self._tasks.make(item, self.policy)
            if counts:
                self._counted.add(task.stage)
            self._done.took(item)
            self.busy.add(state.key_of(item.direction, item.source))
            self._claims[task.stage] = self._claims.pop(each.target)
            self._targets[task.stage] = each.target
            self._pacer.took(item.size)
            self._send(self._builder.add(task))
            if len(self._builder) >= self._pacer.lot_files:
                self.flush()

    def _send(self, lot: Lot | None) -> None:
        if lot is None:
            return
        claims = tuple(self._claims.pop(task.stage)[0] for task in lot.tasks)
        self._pacer.sent(lot.size)
        with self._pacer.working():
            self._dispatcher.send(lot, claims, since=self._clock.monotonic())

    def flush(self) -> None:
        """See `gather.Underway`."""
        self._send(self._builder.flush())

    def go_on(self) -> None:
        """See `gather.Underway`."""
        with self._pacer.working():
            self._commits.go_on()
        while self._is_full() and not self._closing.is_stopping():
            self.wait_a_while()

    def make_room(self, files_max: int) -> None:
        """See `gather.Underway`."""
        if len(self._builder) * self._dispatcher.lots_max >= files_max:
            self.flush()
        while self._dispatcher.files >= files_max and not self._closing.is_stopping():
            self.wait_a_while()

    def wait_a_while(self) -> None:
        """See `gather.Underway`."""
        self._attend()
        if self._is_idle():
            self._pacer.rest()
            return
        with self._pacer.working():
            self._beside.wait(
                {*self._dispatcher.futures, *self._commits.futures}, _SLICE_SECONDS
            )
            for flight in self._dispatcher.collect():
                self._commits.begin(self._finish(flight))
            self._commits.go_on()
            self._deaths.require_life()
        # After what came back was counted, or it would count twice.
        self._account.show_in_flight(self._dispatcher.files, self._dispatcher.bytes)
        self._pacer.look()

    def _finish(self, flight: Flight) -> Steps[None]:
        left = {task.stage: task for task in flight.lot.tasks}
        try:
            if flight.outcomes is None:
                self._deaths.died(flight)
                return
            self._deaths.came_back(flight)
            yield from self._commit_staged(flight, flight.outcomes, left)
        except BaseException:
            # An intent may stand; until it is settled, nobody else may have these.
            self._committer.unsettled.extend(flight.claims)
            self._account.cut_off(left.values(), self._committer.recorded)
            in_vain = left.keys() - self._committer.recorded
            self.files_taken -= len(in_vain & self._counted)
            raise
        yield lambda: self._share.each(lambda claim: claim.release(), flight.claims)
        # Not before: its own claim would be taken for somebody else's.
        for task in flight.lot.tasks:
            self._forget(task)
        self._pacer.came_back(len(flight.lot.tasks), flight.lot.size)
        self._give_up()

    def _commit_staged(
        self, flight: Flight, outcomes: tuple[Outcome, ...], left: dict[Place, Task]
    ) -> Steps[None]:
        pairs = list(zip(flight.lot.tasks, outcomes, strict=True))
        took = self._clock.monotonic() - flight.since
        lost = flight.lost(self._share) if took >= _LONG_SECONDS else set()
        for task, _ in [pair for pair in pairs if pair[0].stage in lost]:
            self._endings.drop_stage(task)
            self._gatherer.others.count(task.identity.size)
            del left[task.stage]
        pairs = [pair for pair in pairs if pair[0].stage not in lost]
        staged = []
        for task, outcome in pairs:
            if self._endings.is_staged(task, outcome):
                staged.append((task, outcome))
            elif outcome.result is Result.STAGED:
                del left[task.stage]  # blocked, and counted as that
        if staged:
            self.progressed = True
            matters = yield from self._committer.commit(
                self.policy, staged, lambda task: self._targets[task.stage]
            )
            arrived = self._ended(matters, left)
            if self._is_relay:
                self._begin(self._onward.taken(arrived, flight, left), counts=False)
            biased = sum(outcome.biased for _, outcome in staged)
            if biased:
                self._account.biased(biased)
        for task, outcome in pairs:
            if outcome.result is not Result.STAGED:
                self._not_staged(task, outcome)
                del left[task.stage]

    def _not_staged(self, task: Task, outcome: Outcome) -> None:
        vanished = outcome.result in (Result.GONE, Result.CHANGED)
        # Another of few may be taken, if this one is gone for good. Looked before it
        # counts: as long as it does not, it counts as waiting if the share fails.
        is_limited = vanished and self._closing.files_left() is not None
        self.progressed |= is_limited and self._endings.is_gone(task)
        self._endings.not_staged(task, outcome)
        self.files_taken -= vanished and task.stage in self._counted

    def _forget(self, task: Task) -> None:
        self._counted.discard(task.stage)
        self.busy.discard(state.key_of(task.direction, task.source))
        self._targets.pop(task.stage, None)

    def _ended(
        self, matters: Sequence[Matter], left: dict[Place, Task]
    ) -> list[Matter]:
        """Note how they ended; return what arrived.

        In `left` stays what counts for nothing yet: containers to be gone on with.
        """
        for each in matters:
            goes_on = self._is_relay and each.pledge.direction is Direction.ENCODE
            if each.ended is Step.FINISH and not goes_on:
                del left[each.pledge.stage]
        arrived = []
        failed: Exception | None = None
        for each in matters:
            try:
                if self._endings.ended(each):
                    arrived.append(each)
                else:
                    del left[each.pledge.stage]
            except (OSError, BatchError) as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return arrived

    def _give_up(self) -> None:
        """Give up items that killed their workers."""
        for task, claim in self._deaths.given_up():
            self._forget(task)
            try:
                self._endings.killed_workers(task)
            except BaseException:
                self._committer.unsettled.append(claim)
                self._account.cut_off([task], self._committer.recorded)
                raise
            claim.release()
