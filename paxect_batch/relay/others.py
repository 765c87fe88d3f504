"""What a pass sees of the other nodes: who lives, and what they seem to be at."""

from __future__ import annotations

from paxect_batch.model.items import Direction, Entry
from paxect_batch.model.places import Place
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter
from paxect_batch.seams import Locks, Share


class Others:
    """The other nodes, as one pass sees them."""

    def __init__(
        self, share: Share, locks: Locks, admitter: Admitter, account: Account
    ) -> None:
        self._share = share
        self._locks = locks
        self._admitter = admitter
        self._account = account
        self._met: set[str] = set()
        self.names: frozenset[str] = frozenset()
        """Who lived when they were met last."""
        self.items = 0
        """How many items they held since then."""
        self._unsized: list[Place] = []

    def meet(self) -> None:
        """See who lives; what there is to do is shared out among them."""
        self.names = frozenset(lease.node for lease in self._locks.others())
        self._met |= self.names
        self.items = 0
        self._unsized.clear()

    def have_grown(self) -> bool:
        """Tell whether a node lives that was not met yet."""
        return not self._met.issuperset(lease.node for lease in self._locks.others())

    def have(self, entry: Entry, direction: Direction) -> bool:
        """Tell whether one of them seems to have the item, and count it if so.

        How big it is is not asked before `add_up`.
        """
        key = self._admitter.claim_key(direction, entry.place)
        if not self._locks.seems_taken(key):
            return False
        self.count(0)
        self._unsized.append(entry.place)
        return True

    def count(self, size: int) -> None:
        """Count an item that one of them has."""
        self._account.elsewhere(size)
        self.items += 1

    def add_up(self) -> None:
        """Find out how big the items are that they seem to have."""
        sizes: list[int] = []
        self._share.each(
            lambda place: sizes.append(self._share.size_of(place)), self._unsized
        )
        self._account.elsewhere(sum(sizes), files=0)
        self._unsized.clear()
