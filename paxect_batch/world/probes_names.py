"""How names behave on a share: which of them are one, which cannot be had at all."""

from __future__ import annotations

import contextlib
import os
import unicodedata

from paxect_batch.model.fitness import Names
from paxect_batch.world.probes_ground import Ground

NAME_BYTES_TRIED = 255
ODD_NAMES = ("a:b", "end.", "end ", "a\\b", "a?*b", "line\nbreak", "aux", '"quoted"')
"""Names that some systems refuse, or keep as others."""

_COMPOSED = "\N{LATIN SMALL LETTER E WITH ACUTE}"


def try_names(ground: Ground) -> Names:
    """Make files of many names in a folder of their own."""
    folder = os.path.join(ground.path, "names")
    os.mkdir(folder)
    longest = _longest(folder)
    return Names(
        folds_case=_is_one(folder, "case", "CASE"),
        folds_unicode=_is_one(
            folder, f"one-{_COMPOSED}", unicodedata.normalize("NFD", f"one-{_COMPOSED}")
        ),
        keeps_unicode=_is_kept(folder, os.fsencode(f"kept-{_COMPOSED}")),
        # Windows and macOS have names of characters, not of bytes.
        takes_bytes=None if os.name == "nt" else _is_kept(folder, b"byte-\xff"),
        refused=tuple(
            name for name in ODD_NAMES if not _is_kept(folder, os.fsencode(name))
        ),
        bytes_max=longest,
    )


def _is_one(folder: str, name: str, other: str) -> bool:
    """Tell whether a file made as the one is found as the other."""
    path = os.path.join(folder, name)
    if not _make(os.fsencode(path)):
        return False
    try:
        return os.path.lexists(os.path.join(folder, other))
    finally:
        os.unlink(path)


def _is_kept(folder: str, name: bytes) -> bool:
    """Tell whether a name can be had, and a listing gives it as it is."""
    path = os.path.join(os.fsencode(folder), name)
    before = set(os.listdir(os.fsencode(folder)))
    if not _make(path):
        return False
    made = set(os.listdir(os.fsencode(folder))) - before
    with contextlib.suppress(OSError):
        os.unlink(path)
    return made == {name}


def _longest(folder: str) -> int:
    """Return how many letters of ASCII a name may have."""
    short, long = 0, NAME_BYTES_TRIED
    if _can_be(folder, long):
        return long
    while long - short > 1:
        middle = (short + long) // 2
        if _can_be(folder, middle):
            short = middle
        else:
            long = middle
    return short


def _can_be(folder: str, letters: int) -> bool:
    path = os.fsencode(os.path.join(folder, "n" * letters))
    if not _make(path):
        return False
    os.unlink(path)
    return True


def _make(path: bytes) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except (OSError, ValueError):
        return False
    return True
