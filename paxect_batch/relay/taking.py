"""Claim items that were admitted, several at once where a server is waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from paxect_batch.model.items import Facts, Item
from paxect_batch.model.places import Place
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.others import Others
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.promised import Promised
from paxect_batch.seams import Claim, Locks, Share
from paxect_batch.work.sources import look_at_source


class Taken:
    """An item, where it is to arrive, and the claim on it if it was to be had."""

    __slots__ = ("claim", "fresh", "item", "key", "target")

    def __init__(self, item: Item, target: Place, key: str) -> None:
        self.item = item
        self.target = target
        self.key = key
        """Of the claim."""
        self.claim: Claim | None = None
        self.fresh: Facts | None = None
        """What the source was after the claim was taken."""


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
    ) -> None:
        """`learn`, where sources stay, sees to it that what others did is in `done`."""
        self._share = share
        self._locks = locks
        self._admitter = admitter
        self._pacer = pacer
        self._account = account
        self._others = others
        self._promised = promised
        self._learn = learn
        self._done = done

    def wanted(self, item: Item) -> Taken:
        """Return an item to take."""
        key = self._admitter.claim_key(item.direction, item.source)
        return Taken(item, self._admitter.target_of(item), key)

    def take(self, wanted: Sequence[Taken]) -> list[Taken]:
        """Return those that are this node's now, each with its claim."""
        try:
            self._share.each(self._claim, wanted)
        except BaseException:
            for each in wanted:
                if each.claim is not None:
                    each.claim.release()
            raise
        had = [each for each in wanted if self._is_had(each)]
        if self._learn is None or not had:
            return had
        # Their claims are had, so whoever had them before has recorded what it did.
        self._learn()
        return [each for each in had if not self._is_done(each)]

    def _claim(self, wanted: Taken) -> None:
        with self._pacer.claiming():
            wanted.claim = self._locks.claim(wanted.key)
        if wanted.claim is not None:
            # Whoever had the claim before may have finished it.
            wanted.fresh = look_at_source(self._share, wanted.item.source)

    def _is_done(self, had: Taken) -> bool:
        if not self._done.has(had.item):
            return False
        assert had.claim is not None
        had.claim.release()
        return True

    def _is_had(self, wanted: Taken) -> bool:
        item, claim = wanted.item, wanted.claim
        self._account.claimed(won=claim is not None)
        key = state.key_of(item.direction, item.source)
        if claim is None or self._promised.has(key, claim):
            self._others.count(item.size)
            return False
        if wanted.fresh is None or wanted.fresh.identity != item.identity:
            claim.release()
            if wanted.fresh is not None:
                self._account.wait(item.size)
            return False
        return True
