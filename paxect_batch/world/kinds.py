"""Tell which kind of thing an entry of a file system is."""

from __future__ import annotations

import os
import stat

from paxect_batch.model.items import Kind


def kind_of(mode: int) -> Kind:
    """Return the kind of what has such a mode."""
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER


def kind_of_entry(entry: os.DirEntry[str]) -> Kind:
    """Return the kind of what a listing gave."""
    if entry.is_symlink() or _is_junction(entry):
        return Kind.LINK
    if entry.is_file(follow_symlinks=False):
        return Kind.FILE
    return Kind.FOLDER if entry.is_dir(follow_symlinks=False) else Kind.OTHER


def _is_junction(entry: os.DirEntry[str]) -> bool:
    # Python 3.11 does not know them; later ones do, on every platform.
    is_junction = getattr(entry, "is_junction", None)
    return is_junction is not None and bool(is_junction())
