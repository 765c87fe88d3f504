"""Stream what lies below a root, folder by folder, and never a whole listing.

Links are told, not followed; temporary names and the relay's own folder are passed
over. Which of the rest are items, and which way they go, is decided by `admit`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence

from paxect_batch.model.items import Direction, Entry, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.rules.naming import is_momentary, is_temporary
from paxect_batch.seams import Share

DEPTH_MAX = 512
_BARRED = (errno.ELOOP, errno.EACCES, errno.EPERM)
_UNCHANGEABLE = (*_BARRED, errno.EROFS)


def scan(
    share: Share, root: Root, on_momentary: Callable[[Place], None] | None = None
) -> Iterator[Entry]:
    """Give files and links below the root; tell of the relay's files of a moment.

    A folder that lies too deep, or may not be listed, is given as something else; one
    that was swapped for a link meanwhile, as a link.
    """
    top = Place(root, "")
    open_listings = [(top, share.entries(top))]
    while open_listings:
        folder, listing = open_listings[-1]
        try:
            entry = next(listing, None)
        except OSError as error:
            if error.errno not in _BARRED or folder == top:
                raise
            open_listings.pop()
            yield Entry(folder, Kind.LINK if error.errno == errno.ELOOP else Kind.OTHER)
            continue
        if entry is None:
            open_listings.pop()
        elif is_temporary(entry.place.name):
            is_file = entry.kind is Kind.FILE
            if is_file and on_momentary and is_momentary(entry.place.name):
                on_momentary(entry.place)
        elif entry.kind is Kind.FOLDER:
            if len(open_listings) < DEPTH_MAX:
                open_listings.append((entry.place, share.entries(entry.place)))
            else:
                yield Entry(entry.place, Kind.OTHER)
        elif entry.kind in (Kind.FILE, Kind.LINK):
            yield entry


def scan_to_serve(
    share: Share, root: Root, on_momentary: Callable[[Place], None] | None
) -> Iterator[Entry]:
    """The same, of a root that is there; `OSError` ENOENT for one that is not."""
    is_empty = True
    for entry in scan(share, root, on_momentary):
        is_empty = False
        yield entry
    if is_empty and share.look(Place(root, "")) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root))


def freshen(share: Share, root: Root) -> None:
    """See to it that the next scan shows what other clients did in any folder."""
    folders = [Place(root, "")]
    while folders:
        folders = _freshened(share, folders)


def _freshened(share: Share, folders: Sequence[Place]) -> list[Place]:
    """Make folders fresh, many at once where a server answers; give those in them."""
    below: list[Place] = []

    def see(folder: Place) -> None:
        try:
            share.freshen(folder)
            found = [
                entry.place
                for entry in share.entries(folder)
                if entry.kind is Kind.FOLDER and not is_temporary(entry.place.name)
            ]
        except OSError as error:
            if error.errno not in _UNCHANGEABLE or not folder.path:
                raise
        else:
            below.extend(found)

    share.each(see, folders)
    return below


def root_of(direction: Direction) -> Root:
    """Where the sources of a direction lie."""
    return Root.INBOX if direction is Direction.ENCODE else Root.WIRE
