"""One pass over the share: scan, admit, claim, hand out, commit what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from paxect_batch.model.items import Direction, Entry, Item, Kind, Mode
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.run import Decision, RunOptions, Verdict
from paxect_batch.model.transfer import Lot, Outcome, Result, Task
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.commit import Committer
from paxect_batch.relay.commits import COMMITS_MAX, Commits, Steps
from paxect_batch.relay.deaths import Deaths
from paxect_batch.relay.dispatch import Dispatcher, Flight
from paxect_batch.relay.endings import Endings
from paxect_batch.relay.leavings import LEFT_BEHIND, Leavings
from paxect_batch.relay.matters import Matter
from paxect_batch.relay.others import Others
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.rounds import Rounds, chunks
from paxect_batch.relay.scan import root_of
from paxect_batch.relay.sweep import Sweeper
from paxect_batch.relay.taking import Taken, Taker
from paxect_batch.relay.tasks import TaskMaker
from paxect_batch.relay.trouble import Trouble
from paxect_batch.relay.twins import Twins, targets_of
from paxect_batch.rules.plan import LOT_BYTES_MAX, LotBuilder
from paxect_batch.rules.share_out import help_items
from paxect_batch.seams import Beside, Claim, EventLog, Locks, Share

_SLICE_SECONDS = 0.2


class Pass:
    """One pass; `run` it once, then read what it was like."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        options: RunOptions,
        policy: Policy,
        *,
        admitter: Admitter,
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
        is_stopping: Callable[[], bool],
        is_closing: Callable[[], bool],
        files_left: int | None,
        beside: Beside,
    ) -> None:
        self._share = share
        self._options = options
        self._policy = self.policy = policy
        self._admitter = admitter
        self._account = account
        self._committer = committer
        self._dispatcher = dispatcher
        self._pacer = pacer
        self._tasks = tasks
        self._done = done
        self._attend = attend
        self._is_stopping = is_stopping
        self._is_closing = is_closing
        self._files_left = files_left
        self._beside = beside
        self._commits = Commits(beside)
        self._sweeper = Sweeper(share)
        self._builder = LotBuilder()
        self._twins = Twins(share, targets_of(options.mode))
        self._claims: dict[Place, tuple[Claim, int]] = {}
        self._targets: dict[Place, Place] = {}
        self._busy: set[str] = set()
        self._others = Others(share, locks, admitter, account)
        self._taker = Taker(
            share,
            locks,
            admitter=admitter,
            pacer=pacer,
            account=account,
            others=self._others,
            promised=committer.promised,
            learn=learn if policy.on_done is OnDone.KEEP else None,
            done=done,
            busy=self._busy,
        )
        self._deaths = Deaths(share, events, dispatcher)
        self._leavings = leavings
        self._endings = Endings(
            share,
            policy,
            admitter=admitter,
            account=account,
            trouble=trouble,
            leavings=leavings,
        )
        self.progressed = False
        """Whether anything came to its end."""
        self.files_taken = 0
        self.paused = False
        """Whether it ended early, since nothing was to be claimed for a while."""

    @property
    def wait_seconds(self) -> float:
        """When the first of the waiting items may be ready."""
        return self._endings.wait_seconds

    @property
    def elsewhere(self) -> int:
        """Items that other nodes hold."""
        return self._others.items

    @property
    def was_idle(self) -> bool:
        """Whether there was nothing to do, for any node."""
        return not (self.progressed or self.elsewhere or self._endings.have_failed)

    def run(self) -> None:
        """Serve each direction once, and finish what was begun."""
        try:
            self._meet()
            while not self._serve():
                # Somebody joined: what is not begun yet is shared out anew.
                self._meet()
            while not self._is_idle() and not self._is_stopping():
                self._collect()
                self._send(self._builder.flush())
            self._commits.finish()
            if not self.progressed or self._is_closing():
                # For a board, their number does until then: each node would ask, for
                # each item.
                self._others.add_up()
        except Exception:
            # What one commit met is no reason to leave another half done.
            self._commits.finish()
            raise
        finally:
            for claim, size in self._claims.values():
                claim.release()
                self._account.wait(size)
            self._claims.clear()

    def _is_idle(self) -> bool:
        return self._dispatcher.is_empty() and not self._commits

    def _is_full(self) -> bool:
        return self._dispatcher.is_full() or len(self._commits) > COMMITS_MAX

    def _meet(self) -> None:
        self._others.meet()
        self._account.begin_pass()

    def _serve(self) -> bool:
        """Take this node's own, then help; False if a node joined meanwhile."""
        rounds = Rounds(
            self._share, self._options.node, self._others.names, self._sweeper.momentary
        )
        for direction in self._options.mode.directions:
            for entries in chunks(rounds.own(root_of(direction)), self._ahead):
                if self._is_ending():
                    break
                if self._others.have_grown():
                    return False
                self._consider(entries, direction)
            self._send(self._builder.flush())
            self._account.show()
        for direction in self._options.mode.directions:
            for window in rounds.of_others(root_of(direction)):
                self._help(window, direction)
        return True

    def _help(self, window: list[Entry], direction: Direction) -> None:
        """Take what other nodes did not come to, by few at a time."""
        left = [entry for entry in window if self._is_free(entry, direction)]
        for begun, entry in enumerate(left):
            if self._is_ending():
                break
            files_max = help_items(len(left) - begun, len(self._others.names) + 1)
            if len(self._builder) * self._dispatcher.lots_max >= files_max:
                self._send(self._builder.flush())
            while self._dispatcher.files >= files_max and not self._is_stopping():
                self._collect()
            self._consider([entry], direction)
        self._send(self._builder.flush())

    def _is_ending(self) -> bool:
        self._pacer.look()
        self.paused = self.paused or self._pacer.is_paused
        return self.paused or self._is_closing()

    def _has_turn(self) -> bool:
        """Wait until an item may be claimed; False if none is to be any more."""
        while not self._is_ending():
            if self._pacer.has_turn():
                return True
            self._send(self._builder.flush())
            self._collect()
        return False

    def _is_free(self, entry: Entry, direction: Direction) -> bool:
        """Tell whether the entry is an item that nobody seems to be at."""
        if entry.kind is not Kind.FILE:
            self._account.passed_over(entry)
            return False
        return (
            self._admitter.is_item(entry, direction)
            and state.key_of(direction, entry.place) not in self._busy
            and not self._others.have(entry, direction)
        )

    def _ahead(self) -> int:
        # At a rate, each item waits for its turn.
        return 1 if self._pacer.has_rates else self._share.ahead

    def _consider(self, entries: Sequence[Entry], direction: Direction) -> None:
        free = [entry for entry in entries if self._is_free(entry, direction)]
        wanted: list[Taken] = []
        for item, decision in self._admitter.decide_all(free, direction):
            if decision.verdict is Verdict.ADMITTED:
                if self._may_take(item, decision, len(wanted)):
                    wanted.append(self._taker.wanted(item))
            elif decision.verdict is Verdict.DONE:
                self._endings.arrived(direction, item.source)
            elif decision.reason == LEFT_BEHIND:
                self._taker.see_to(item, self._leavings, self._policy)
            else:
                self._account.decided(item, decision)
                if decision.verdict is Verdict.WAITING:
                    self._endings.may_be_ready_in(decision.wait_seconds)
        self._take_in_turn(wanted)

    def _take_in_turn(self, wanted: list[Taken]) -> None:
        """Claim no more at once than a lot holds, so that others get their part."""
        while wanted:
            size, count = wanted[0].item.size, 1
            while count < len(wanted) and size < LOT_BYTES_MAX:
                size += wanted[count].item.size
                count += 1
            self._take(wanted[:count])
            del wanted[:count]
            with self._pacer.working():
                self._commits.go_on()
            while self._is_full() and not self._is_stopping():
                self._collect()

    def _may_take(self, item: Item, decision: Decision, wanted: int) -> bool:
        """Tell whether to claim the item, besides so many others."""
        if self._files_left == self.files_taken + wanted or not self._has_turn():
            self._account.wait(item.size)
            return False
        return self._may_begin(item, decision)

    def _may_begin(self, item: Item, decision: Decision) -> bool:
        """Tell whether it is one to claim, after all that was found out of it."""
        if decision.reason:
            self._endings.failed(item, code=decision.reason)
            return False
        twins = self._twins.of(item.source)
        if any(self._admitter.is_waiting(item.direction, twin) for twin in twins):
            # Together they are set aside; alone, the one that is left would travel.
            self._endings.wait_to_settle(item.size)
            return False
        if twins:
            self._endings.failed(
                item,
                code="name-collision",
                detail="another file's name is the same where it is to arrive",
                final=True,
            )
            return False
        return True

    def _take(self, wanted: Sequence[Taken], *, counts: bool = True) -> None:
        """Claim the items and hand on those that are to be had."""
        taken = self._taker.take(wanted)
        for each in taken:
            assert each.claim is not None
            self._claims[each.target] = each.claim, each.item.size
        if counts:
            self.files_taken += len(taken)
        for each in taken:
            item = each.item
            task = self._tasks.make(item, self._policy)
            self._done.took(item)
            self._busy.add(state.key_of(item.direction, item.source))
            self._claims[task.stage] = self._claims.pop(each.target)
            self._targets[task.stage] = each.target
            self._pacer.took(item.size)
            self._send(self._builder.add(task))
            if len(self._builder) >= self._pacer.lot_files:
                self._send(self._builder.flush())

    def _send(self, lot: Lot | None) -> None:
        if lot is None:
            return
        claims = tuple(self._claims.pop(task.stage)[0] for task in lot.tasks)
        self._pacer.sent(lot.size)
        with self._pacer.working():
            self._dispatcher.send(lot, claims)

    def _collect(self) -> None:
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
        # After what came back was counted, or it would count twice.
        self._account.show_in_flight(self._dispatcher.files, self._dispatcher.bytes)
        self._pacer.look()

    def _finish(self, flight: Flight) -> Steps[None]:
        left = {task.stage: task for task in flight.lot.tasks}
        try:
            if flight.outcomes is None:
                self._worker_died(flight)
                return
            yield from self._commit_staged(flight, flight.outcomes, left)
        except BaseException:
            # An intent may stand; until it is settled, nobody else may have these.
            self._committer.unsettled.extend(flight.claims)
            self._account.cut_off(left.values(), self._committer.recorded)
            raise
        self._share.each(lambda claim: claim.release(), flight.claims)
        self._pacer.came_back(len(flight.lot.tasks), flight.lot.size)

    def _commit_staged(
        self, flight: Flight, outcomes: tuple[Outcome, ...], left: dict[Place, Task]
    ) -> Steps[None]:
        pairs = list(zip(flight.lot.tasks, outcomes, strict=True))
        staged = [pair for pair in pairs if self._endings.is_staged(*pair)]
        if staged:
            self.progressed = True
            matters = yield from self._committer.commit(
                self._policy, staged, lambda task: self._targets[task.stage]
            )
            arrived = [each for each in matters if self._endings.ended(each)]
            for task, _ in staged:
                del left[task.stage]
            self._go_on(arrived, flight)
            biased = sum(outcome.biased for _, outcome in staged)
            if biased:
                self._account.biased(biased)
        for task, outcome in pairs:
            if outcome.result is not Result.STAGED:
                self._endings.not_staged(task, outcome)
                del left[task.stage]
            self._busy.discard(state.key_of(task.direction, task.source))
            self._targets.pop(task.stage, None)

    def _go_on(self, matters: Sequence[Matter], flight: Flight) -> None:
        """Take containers that were just published on to be decoded.

        The claim by which each was made goes on with it.
        """
        if self._options.mode is not Mode.RELAY:
            return
        wanted: list[Taken] = []
        made = [
            each.pledge for each in matters if each.pledge.direction is Direction.ENCODE
        ]
        containers = [pledge.target for pledge in made]
        stages = {pledge.target: pledge.stage for pledge in made}
        for item, decision in self._admitter.decide_own(containers):
            if decision.verdict is Verdict.ADMITTED:
                self.paused = self.paused or self._pacer.is_paused
                if self._is_stopping() or self.paused:
                    self._account.wait(item.size)
                elif self._may_begin(item, decision):
                    wanted.append(self._taker.wanted(item))
                    wanted[-1].claim = flight.hand_over(stages[item.source])
            elif decision.verdict is not Verdict.DONE:
                self._account.decided(item, decision)
        self._take(wanted, counts=False)

    def _worker_died(self, flight: Flight) -> None:
        for task, claim in self._deaths.given_up(flight):
            self._targets.pop(task.stage, None)
            self._busy.discard(state.key_of(task.direction, task.source))
            self._endings.killed_workers(task)
            claim.release()
