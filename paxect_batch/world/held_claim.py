"""A claim that a run has, to be given back as long as its lease stands."""

from __future__ import annotations

from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.keeper import Keeper

BELIEVED_SECONDS = 0.1
"""How long a lease is believed to stand, so that not each of many claims asks."""


class HeldClaim:
    """See `seams.Claim`."""

    def __init__(self, claims: ClaimFiles, key: str, keeper: Keeper) -> None:
        self._claims = claims
        self._key = key
        self._keeper = keeper
        self._held = True
        self._is_own = True
        """Whether the marker is this run's, as far as was asked."""

    def release(self) -> None:
        """See `seams.Claim`."""
        held, self._held = self._held, False
        if held and not self._keeper.lost:
            self._claims.give_back(
                self._key, run=self._keeper.own.run, stands=self._stands
            )

    def stands(self) -> bool:
        """See `seams.Claim`."""
        own = self._keeper.own
        self._is_own = self._claims.owner(self._key) == (own.node, own.run)
        return self._is_own

    def _stands(self) -> bool:
        # Who slept may find the claim of another by that name.
        return self._is_own and self._keeper.stands(within_seconds=BELIEVED_SECONDS)
