"""Find names that are one name where they are to arrive, though not where they lie.

Where `A.txt` and `a.txt` would meet, neither has the better claim to the name: both are
set aside. Only folders of roots that fold names are looked through, each once a pass,
and only the names that do meet are remembered.
"""

from __future__ import annotations

from paxect_batch.model.items import Kind, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.rules.naming import fold, is_temporary
from paxect_batch.seams import Share


def targets_of(mode: Mode) -> tuple[Root, ...]:
    """Where items are to arrive."""
    if mode is Mode.RELAY:
        return (Root.WIRE, Root.OUTBOX)
    return (Root.WIRE,) if mode is Mode.ENCODE else (Root.OUTBOX,)


class Twins:
    """Names of one pass that fold alike."""

    def __init__(self, share: Share, targets: tuple[Root, ...]) -> None:
        self._share = share
        self._targets = targets
        self._folder: Place | None = None
        self._folded: set[str] = set()

    def has(self, place: Place) -> bool:
        """Tell whether another file of its folder has the same name, folded."""
        if not any(self._share.folds_names(root) for root in self._targets):
            return False
        if self._folder != place.folder:
            self._folder = place.folder
            self._folded = self._met_in(place.folder)
        return fold(place.name) in self._folded

    def _met_in(self, folder: Place) -> set[str]:
        # 8 bytes of each name while looking; whole names only of those that meet.
        seen: set[int] = set()
        met: set[str] = set()
        for entry in self._share.entries(folder):
            name = entry.place.name
            if entry.kind is not Kind.FILE or is_temporary(name):
                continue
            mark = hash(fold(name))
            if mark in seen:
                met.add(fold(name))
            seen.add(mark)
        return met
