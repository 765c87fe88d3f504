"""Look at sources, on whose path anybody may have put a link meanwhile."""

from __future__ import annotations

import errno

from paxect_batch.model.items import Facts
from paxect_batch.model.places import Place
from paxect_batch.seams import Share


def look_at_source(
    share: Share, place: Place, *, closely: bool = False
) -> Facts | None:
    """Return fresh facts of a source; None if it is not there any more.

    Nor is it where a folder on the way to it was swapped for a link: what lies behind
    that is not of the share.
    """
    try:
        return share.look(place, closely=closely)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return None
