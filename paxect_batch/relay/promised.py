"""What runs promised that are not recovered yet.

Such an item is theirs, whatever became of the claim on it: when a file server loses
power, claims may be lost, and the node that made them may be the last to come back.
"""

from __future__ import annotations

import contextlib

from paxect_batch.model.places import Place
from paxect_batch.relay import state
from paxect_batch.seams import Claim, Share


class Promised:
    """The items of all intents that stood when they were read."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._intents: dict[str, Place] = {}

    def read(self) -> None:
        """See which intents stand; a run's own must be settled by then."""
        self._intents.clear()
        for node in state.folders_in(self._share, state.state("intents")):
            # Who keeps his to himself keeps his claims as well, dead or alive.
            with contextlib.suppress(PermissionError):
                self._read(node.name)

    def _read(self, node: str) -> None:
        for place in state.intents_of(self._share, node):
            intent = state.load_intent(self._share, place)
            for pledge in intent.pledges if intent is not None else ():
                key = state.key_of(pledge.direction, pledge.source)
                self._intents[key] = place

    def has(self, key: str, claim: Claim) -> bool:
        """Tell whether an intent for the item stands; the claim is given back then."""
        place = self._intents.get(key)
        if place is None:
            return False
        if self._share.look(place) is None:
            del self._intents[key]
            return False
        claim.release()
        return True
