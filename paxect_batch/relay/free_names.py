"""Move a file to a name that is free, and to none that is taken."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from paxect_batch.model.places import Place
from paxect_batch.rules.naming import numbered
from paxect_batch.seams import Share

_IN_A_ROW_MAX = 8
"""So many files of one name are numbered from 1; later ones by their own times."""
_NAMES_MAX = 1000
_TRIES_MAX = 8
"""How often a folder may vanish under our hands before that is an error."""


def move_to_free_name(share: Share, place: Place, target: Place) -> Place | None:
    """Rename to the target, or to the first name like it that is free; return that.

    None if there is nothing at the place any more, and nothing happens then.
    """
    for free in _names_like(share, place, target):
        if _move(share, place, free):
            return free
        if share.look(place) is None:
            return None
        if _is_same(share, place, free):
            # Whoever moved it died in between, or the share lost the answer.
            share.remove(place)
            return free
    raise FileExistsError(errno.EEXIST, "no name is to be had", str(target))


def _names_like(share: Share, place: Place, target: Place) -> Iterator[Place]:
    yield target
    for number in range(1, _IN_A_ROW_MAX):
        yield target.beside(numbered(target.name, number))
    # One name a minute for years must not be asked for in turn, nor run out.
    facts = share.look(place)
    begin = max(0 if facts is None else facts.identity.mtime_ns, _IN_A_ROW_MAX)
    for number in range(begin, begin + _NAMES_MAX):
        yield target.beside(numbered(target.name, number))


def _move(share: Share, place: Place, free: Place) -> bool:
    """Move it there, with the folder if need be; False if there is no way."""
    for _ in range(_TRIES_MAX):
        try:
            share.move_new(place, free)
        except FileExistsError:
            return False
        except FileNotFoundError:
            if share.look(place) is None:
                return False
            _make_folder(share, free.folder)
        else:
            return True
    raise FileExistsError(errno.EEXIST, "its folder vanishes", str(free.folder))


def _make_folder(share: Share, folder: Place) -> None:
    try:
        share.make_folder(folder)
    except FileExistsError as error:
        # Not to be taken for the name that was wanted in it.
        raise NotADirectoryError(errno.ENOTDIR, error.strerror, str(folder)) from error


def _is_same(share: Share, one: Place, other: Place) -> bool:
    here, there = share.look(one), share.look(other)
    return here is not None and there is not None and here.identity == there.identity
