"""A share for who only looks: what another user keeps to himself is as if not there."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.items import Entry, Facts
from paxect_batch.model.places import Place, Root
from paxect_batch.world.share import LocalShare


class VisibleShare(LocalShare):
    """Shows what may be seen; a folder of the relay's own must be."""

    def entries(self, folder: Place) -> Iterator[Entry]:
        """See `seams.Share`."""
        try:
            yield from super().entries(folder)
        except PermissionError:
            if not _is_somebodys(folder):
                raise

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        """See `seams.Share`."""
        try:
            return super().read(place, bytes_max)
        except PermissionError:
            if not _is_somebodys(place):
                raise
            return None

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        """See `seams.Share`."""
        try:
            return super().look(place, closely=closely)
        except PermissionError:
            if not _is_somebodys(place):
                raise
            return None


def _is_somebodys(place: Place) -> bool:
    """Tell whether it is one run's or item's, in one of the relay's own folders."""
    return place.root is Root.STATE and "/" in place.path
