"""Claim items that were admitted, several at once where a server is waited for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from paxect_batch.model.items import Item
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import Decision, Verdict
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.leavings import Leavings
from paxect_batch.relay.others import Others
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.promised import Promised
from paxect_batch.seams import Claim, Locks, Share


class Taken:
    """An item, where it is to arrive, and the claim on it if it was to be had."""

    __slots__ = ("claim", "is_tried", "item", "keys", "target")

    def __init__(self, item: Item, target: Place, keys: tuple[str, ...]) -> None:
        self.item = item
        self.target = target
        self.keys = keys
        """Of its claims, mostly one."""
        self.claim: Claim | None = None
        self.is_tried = False
        """Whether the claim was not had before."""


def give_back(wanted: Sequence[Taken]) -> None:
    """Give back the claims that were had."""
    for each in wanted:
        if each.claim is not None:
            each.claim.release()


class _Claims:
    """Several that are one: see `seams.Claim`."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = claims

    def release(self) -> None:
        """Give them all back."""
        for claim in self._claims:
            claim.release()

    def stands(self) -> bool:
        """Tell whether all are this node's still."""
        return all(claim.stands() for claim in self._claims)


class Taker:
    """Claims for one pass."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        *,
        admitter: Admitter,
        pacer: Pacer,
        account: Account,
        others: Others,
        promised: Promised,
        learn: Callable[[], None] | None,
        done: Done,
        busy: Collection[str],
        rest: Callable[[float], None],
    ) -> None:
        """`learn`, where sources stay, sees to it that what others did is in `done`.

        `busy` are the items that the run is at, by `state.key_of`; `rest` is told of
        what is to be tried again, after how many seconds.
        """
        self._share = share
        self._locks = locks
        self._admitter = admitter
        self._pacer = pacer
        self._account = account
        self._others = others
        self._promised = promised
        self._learn = learn
        self._done = done
        self._busy = busy
        self._rest = rest

    def wanted(self, item: Item) -> Taken:
        """Return an item to take."""
        target = self._admitter.target_of(item)
        return Taken(item, target, self._admitter.claim_keys(item, target))

    def take(self, wanted: Sequence[Taken]) -> list[Taken]:
        """Return those that are this node's now, each with its claim.

        That of some may be had already. Whoever had it before may have finished the
        item, or its producer replaced it: who opens the source sees that.
        """
        # While a turn was waited for, a container may have been gone on with.
        wanted = [each for each in wanted if not self._is_busy(each)]
        try:
            self._share.each(self._claim, wanted)
            had = [each for each in wanted if self._is_had(each)]
            if not had:
                return had
            # Their claims are had, so who had them before has written what it did.
            if any(each.is_tried for each in had):
                self._admitter.learn_of_others()
            if self._learn is not None:
                self._learn()
            return [
                each for each in had if not (self._is_done(each) or self._rests(each))
            ]
        except BaseException:
            give_back(wanted)
            raise

    def _rests(self, had: Taken) -> bool:
        """Tell whether somebody failed with it since it was admitted, and it rests."""
        item = had.item
        key = state.key_of(item.direction, item.source)
        if not had.is_tried or not self._admitter.has_trouble(key):
            return False
        decision = self._admitter.decide(item)
        if decision.verdict is Verdict.ADMITTED:
            return False
        assert had.claim is not None
        had.claim.release()
        self._account.decided(item, decision)
        if decision.verdict is Verdict.WAITING:
            self._rest(decision.wait_seconds)
        return True

    def _is_distrusted(self, had: Taken) -> bool:
        """Tell whether the container came since the pass began, from who knows whom."""
        reason = self._admitter.distrusts(had.item) if had.is_tried else ""
        if not reason:
            return False
        assert had.claim is not None
        had.claim.release()
        self._account.decided(had.item, Decision(Verdict.BLOCKED, reason))
        return True

    def see_to(self, item: Item, leavings: Leavings, policy: Policy) -> None:
        """Take away what is left behind, if its claim is to be had; else count it."""
        if not leavings.is_due(item):
            leavings.count(item)
            return
        keys = self._admitter.claim_keys(item, self._admitter.target_of(item))
        claim = self._claimed(keys, None)
        if claim is None:
            self._others.count(item.size)
            return
        try:
            self._admitter.left.learn()
            if self._admitter.left.has(item):
                leavings.take_away(item, policy)
        finally:
            claim.release()

    def _is_busy(self, wanted: Taken) -> bool:
        item = wanted.item
        if state.key_of(item.direction, item.source) not in self._busy:
            return False
        if wanted.claim is not None:
            wanted.claim.release()
        return True

    def _claim(self, wanted: Taken) -> None:
        had = wanted.claim
        wanted.claim = self._claimed(wanted.keys, had)
        wanted.is_tried = had is None

    def _claimed(self, keys: Sequence[str], had: Claim | None) -> Claim | None:
        """Claim all keys, of which the first may be had."""
        claims = [] if had is None else [had]
        try:
            for key in keys[len(claims) :]:
                claim = self._pacer.timed(self._locks.claim, key)
                if claim is None:
                    _Claims(claims).release()
                    return None
                claims.append(claim)
        except BaseException:
            _Claims(claims).release()
            raise
        return claims[0] if len(claims) == 1 else _Claims(claims)

    def _is_done(self, had: Taken) -> bool:
        stays = self._learn is not None and self._done.has(had.item)
        if not stays and not self._admitter.left.has(had.item):
            return self._is_distrusted(had)
        assert had.claim is not None
        had.claim.release()
        return True

    def _is_had(self, wanted: Taken) -> bool:
        item, claim = wanted.item, wanted.claim
        if wanted.is_tried:
            self._account.claimed(won=claim is not None)
        key = state.key_of(item.direction, item.source)
        if claim is None or self._promised.has(key, claim):
            self._others.count(item.size)
            return False
        return True
