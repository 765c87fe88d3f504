"""Gather what there is to do: scan, admit and claim, once over the share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from paxect_batch.model.items import Direction, Entry, Item, Kind
from paxect_batch.model.places import Root
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.run import Decision, RunOptions, Verdict
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.endings import Endings
from paxect_batch.relay.leavings import LEFT_BEHIND, Leavings
from paxect_batch.relay.others import Others
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.promised import Promised
from paxect_batch.relay.rounds import Rounds, chunks
from paxect_batch.relay.scan import root_of
from paxect_batch.relay.sweep import Sweeper
from paxect_batch.relay.taking import Taken, Taker
from paxect_batch.relay.twins import Twins, targets_of
from paxect_batch.rules.plan import LOT_BYTES_MAX, may_begin_beside
from paxect_batch.rules.share_out import help_items
from paxect_batch.seams import Locks, Share

_HELD_MAX = 256
"""So many giants are remembered that wait for others; the rest is looked for again."""


class Underway(Protocol):
    """What was claimed and is not ended, and whoever goes on with it."""

    busy: set[str]
    """The items of it, by `state.key_of`."""
    files_taken: int

    @property
    def giants(self) -> Collection[int]:
        """How big those are that are out and too large for a usual lot."""

    def is_ending(self) -> bool:
        """Tell whether nothing is to be claimed any more."""

    def take(self, wanted: Sequence[Taken]) -> None:
        """Claim items, and hand on those that are to be had."""

    def flush(self) -> None:
        """Hand on what waits for more to come."""

    def go_on(self) -> None:
        """See to what came back, and wait until there is room for more."""

    def wait_a_while(self) -> None:
        """Wait for something to come back."""

    def make_room(self, files_max: int) -> None:
        """Wait until no more than so many files are out."""


class Gatherer:
    """Goes over the share once, by one policy."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        options: RunOptions,
        policy: Policy,
        underway: Underway,
        *,
        admitter: Admitter,
        account: Account,
        endings: Endings,
        leavings: Leavings,
        promised: Promised,
        pacer: Pacer,
        sweeper: Sweeper,
        done: Done,
        learn: Callable[[], None],
        files_left: int | None,
    ) -> None:
        self._share = share
        self._locks = locks
        self._options = options
        self._policy = policy
        self._underway = underway
        self._admitter = admitter
        self._account = account
        self._endings = endings
        self._leavings = leavings
        self._pacer = pacer
        self._sweeper = sweeper
        self._files_left = files_left
        self._twins = Twins(share, targets_of(options.mode))
        self.others = Others(share, locks, admitter, account)
        self.taker = Taker(
            share,
            locks,
            admitter=admitter,
            pacer=pacer,
            account=account,
            others=self.others,
            promised=promised,
            learn=learn if policy.on_done is OnDone.KEEP else None,
            done=done,
            busy=underway.busy,
            rest=endings.may_be_ready_in,
        )
        self._held: list[Taken] = []
        """Giants that were not claimed, as others were out, and are not counted yet."""
        self.held_back_by = 0
        """How many were out when the last of them was held back."""

    def gather(self) -> None:
        """Claim all that there is to claim, each direction once."""
        self._meet()
        while not self._serve():
            # Somebody joined: what is not begun yet is shared out anew.
            self._held.clear()
            self._meet()
        for each in self._held:
            self._account.wait(each.item.size)

    def _meet(self) -> None:
        self.others.meet()
        self._account.begin_pass()

    def _serve(self) -> bool:
        """Take this node's own, then help; False if a node joined meanwhile."""
        rounds = Rounds(
            self._share, self._options.node, self.others.names, self._sweeper.momentary
        )
        for direction in self._options.mode.directions:
            for entries in chunks(rounds.own(root_of(direction)), self._ahead):
                if self._underway.is_ending():
                    break
                if self.others.have_grown():
                    return False
                self._consider(entries, direction)
            self._underway.flush()
            self._account.show()
        for direction in self._options.mode.directions:
            for window in rounds.of_others(root_of(direction)):
                self._help(window, direction)
        return True

    def _help(self, window: list[Entry], direction: Direction) -> None:
        """Take what other nodes did not come to, by few at a time."""
        left = [entry for entry in window if self._is_free(entry, direction)]
        for begun, entry in enumerate(left):
            if self._underway.is_ending():
                break
            files_max = help_items(len(left) - begun, len(self.others.names) + 1)
            self._underway.make_room(files_max)
            self._consider([entry], direction)
        self._underway.flush()

    def _has_turn(self) -> bool:
        """Wait until an item may be claimed; False if none is to be any more."""
        while not self._underway.is_ending():
            if self._pacer.has_turn():
                return True
            self._underway.flush()
            self._underway.wait_a_while()
        return False

    def _is_free(self, entry: Entry, direction: Direction) -> bool:
        """Tell whether the entry is an item that nobody seems to be at."""
        if entry.kind is not Kind.FILE:
            self._account.passed_over(entry)
            return False
        return (
            self._admitter.is_item(entry, direction)
            and state.key_of(direction, entry.place) not in self._underway.busy
            and not self.others.have(entry, direction)
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
                    wanted.append(self.taker.wanted(item))
            elif decision.verdict is Verdict.DONE:
                self._endings.arrived(direction, item.source)
            elif decision.reason == LEFT_BEHIND:
                self.taker.see_to(item, self._leavings, self._policy)
            else:
                self._account.decided(item, decision)
                if decision.verdict is Verdict.WAITING:
                    self._endings.may_be_ready_in(decision.wait_seconds)
        self._take_in_turn(wanted)

    def _may_take(self, item: Item, decision: Decision, wanted: int) -> bool:
        """Tell whether to claim the item, besides so many others."""
        if self._is_enough(wanted) or not self._has_turn():
            self._account.wait(item.size)
            return False
        return self.may_begin(item, decision)

    def _is_enough(self, wanted: int = 0) -> bool:
        """Tell whether no more files may be taken, besides so many others."""
        most = self._files_left
        return most is not None and self._underway.files_taken + wanted >= most

    def may_begin(self, item: Item, decision: Decision) -> bool:
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

    def _take_in_turn(self, wanted: list[Taken]) -> None:
        """Claim no more at once than a lot holds, so that others get their part."""
        while wanted:
            size, count = wanted[0].item.size, 1
            while count < len(wanted) and size < LOT_BYTES_MAX:
                size += wanted[count].item.size
                count += 1
            begun = [each for each in wanted[:count] if self._may_begin_now(each)]
            del wanted[:count]
            self._underway.take(begun)
            self._underway.go_on()
            if self._underway.is_ending():
                break
            is_freed = len(self._underway.giants) < self.held_back_by
            if self._held and is_freed and not self._is_enough(len(wanted)):
                wanted.insert(0, self._held.pop(0))
        for each in wanted:
            self._account.wait(each.item.size)

    def _may_begin_now(self, wanted: Taken) -> bool:
        """Tell whether the item need not wait for giants; keep it if it does."""
        giants, item = self._underway.giants, wanted.item
        if may_begin_beside(
            item.size,
            giants,
            workers=self._options.workers,
            free_bytes=lambda: self._free_bytes(item.direction),
        ):
            return True
        self.held_back_by = len(giants)
        if len(self._held) < _HELD_MAX:
            self._held.append(wanted)
        else:
            self._account.wait(item.size)
        return False

    def _free_bytes(self, direction: Direction) -> int:
        """Return how much is free where the item would be staged; 0 if nobody knows."""
        root = Root.WIRE if direction is Direction.ENCODE else Root.OUTBOX
        with contextlib.suppress(OSError):
            return self._share.free_bytes(root)
        return 0
