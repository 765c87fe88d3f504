"""Finish what an earlier run of this node began, and sweep what it left.

Intents are settled by the same code as live ones. What then still lies in the node's
stage folders was promised to nobody, and its source is still where it was: it is
dropped. Only a file that was moved aside while retiring is somebody's data; it stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Intent
from paxect_batch.relay import state
from paxect_batch.relay.settle import Matter, Recorder, Settler, found_matters
from paxect_batch.seams import Ledger, Share


class Recovery:
    """Takes over the unfinished business of one node."""

    def __init__(self, share: Share, ledger: Ledger, node: str) -> None:
        self._share = share
        self._ledger = ledger
        self._node = node
        self.settled: list[Matter] = []
        """Matters that were carried to their end."""
        self.swept: list[Place] = []
        """Crumbs that were removed."""
        self.unreadable: list[Place] = []
        """Intents that are none; they were put beside and promise nothing."""

    def has_intents(self) -> bool:
        """Tell whether an earlier run, or this one, left something to settle."""
        return any(True for _ in self._intents())

    def run(self, record: Recorder) -> None:
        """Settle every intent of the node, then sweep its stages."""
        for place in sorted(self._intents()):
            intent = state.load_paper(self._share, place, Intent)
            if intent is None:
                self._share.rename_new(place, place.beside(f"{place.name}.unreadable"))
                self.unreadable.append(place)
            else:
                self._settle(intent, record)
        self.sweep()

    def _intents(self) -> Iterator[Place]:
        for place in state.files_in(self._share, state.intent_folder(self._node)):
            if place.name.endswith(".json"):
                yield place

    def _settle(self, intent: Intent, record: Recorder) -> None:
        recorded = {
            (each.direction, each.source)
            for each in self._ledger.since(
                intent.node, intent.run, intent.ledger_offset
            )
        }
        matters = found_matters(self._share, intent, recorded)
        Settler(self._share, intent, record).settle(matters)
        self.settled.extend(matters)

    def sweep(self) -> None:
        """Drop what is staged, once no intent of the node stands."""
        folders = {
            state.stage_folder(self._share, self._node, root)
            for root in (Root.STATE, Root.INBOX, Root.WIRE, Root.OUTBOX)
        }
        for folder in sorted(folders):
            for place in list(state.files_in(self._share, folder)):
                if place.name.startswith(state.ASIDE_PREFIX):
                    continue
                self._share.remove(place)
                self.swept.append(place)
