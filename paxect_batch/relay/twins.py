"""Find names that are one name where they are to arrive, though not where they lie.

Where `A.txt` and `a.txt` would meet, neither has the better claim to the name: both are
set aside. Only folders of roots that fold names are looked through, each once a pass,
and only the names that do meet are remembered.
"""

from __future__ import annotations

from collections.abc import Iterator

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
        self._met: dict[Place, dict[str, list[Place]]] = {}
        """By folder and folded name. Kept for the pass: when the second of two is
        looked at, the first may be set aside already."""

    def of(self, place: Place) -> list[Place]:
        """Return the other files of its folder that have the same name, folded."""
        if not any(self._share.folds_names(root) for root in self._targets):
            return []
        folder = place.folder
        if folder not in self._met:
            self._met[folder] = self._met_in(folder)
        alike = self._met[folder].get(fold(place.name), [])
        return [other for other in alike if other != place]

    def _met_in(self, folder: Place) -> dict[str, list[Place]]:
        # A number for each name at first; whole names only of those that may meet.
        seen: set[int] = set()
        twice: set[int] = set()
        for place in self._files(folder):
            mark = hash(fold(place.name))
            (twice if mark in seen else seen).add(mark)
        met: dict[str, list[Place]] = {}
        for place in self._files(folder) if twice else ():
            folded = fold(place.name)
            if hash(folded) in twice:
                met.setdefault(folded, []).append(place)
        return met

    def _files(self, folder: Place) -> Iterator[Place]:
        for entry in self._share.entries(folder):
            if entry.kind is Kind.FILE and not is_temporary(entry.place.name):
                yield entry.place
