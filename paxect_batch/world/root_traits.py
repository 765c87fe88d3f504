"""What the file systems of a share's roots can do: tried with files of our own."""

from __future__ import annotations

import errno
import time
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from paxect_batch.model.places import Place, Root
from paxect_batch.world.tree import Tree, temp_name

if TYPE_CHECKING:
    from paxect_batch.seams import Share

_TRIES_MAX = 40
_PAUSE_SECONDS = 0.05

FOLDER = ".paxect"
"""Of our own, in which a crash's crumb is found without listing all that waits in the
root; it lies on the root's file system and folds as it does."""


def can_rename(share: Share, tree: Tree, one: Root, other: Root) -> bool:
    """Tell whether a file can be renamed from one root into the other."""
    return _retried(
        share, lambda folder: _try_renaming(share, tree, folder, one, other), one, other
    )


def folds_names(share: Share, tree: Tree, root: Root) -> bool:
    """Tell whether names that differ in case or Unicode form are one name there."""
    return _retried(share, lambda folder: _try_folding(share, tree, folder, root), root)


def _try_renaming(
    share: Share, tree: Tree, folder: str, one: Root, other: Root
) -> bool:
    # Device numbers do not tell: one device mounted twice takes no rename either.
    probe, moved = _probe_in(one, folder), _probe_in(other, folder)
    share.create(probe).close()
    try:
        share.make_folder(moved.folder)
        tree.rename_new(probe, moved)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    finally:
        _drop(share, probe)
        _drop(share, moved)
    return True


def _try_folding(share: Share, tree: Tree, folder: str, root: Root) -> bool:
    name = temp_name().replace(".tmp", "-\N{LATIN SMALL LETTER E WITH ACUTE}.tmp")
    probe = _probe_in(root, folder).beside(name)
    share.create(probe).close()
    try:
        return any(
            _exists(tree, probe.beside(other))
            for other in (name.upper(), unicodedata.normalize("NFD", name))
        )
    finally:
        _drop(share, probe)


def _retried(share: Share, probe: Callable[[str], bool], *roots: Root) -> bool:
    """Probe in the folder; in the roots themselves where it cannot be had.

    Another process that is done probing removes the folder under our hands; an NFS
    client believes that it is there until it changes the root itself, and an SMB client
    may take it for a file, for as long as it remembers what files are like. On an SMB
    server a folder that was removed while another client listed it is neither there nor
    can it be made until that client is done, or its death is noticed, which may take a
    quarter of an hour.
    """
    for _ in range(_TRIES_MAX):
        try:
            return probe(FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            time.sleep(_PAUSE_SECONDS)
        for root in roots:
            share.freshen(Place(root, ""))
    return probe("")


def _exists(tree: Tree, place: Place) -> bool:
    try:
        tree.stat(place)
    except FileNotFoundError:
        return False
    return True


def _drop(share: Share, probe: Place) -> None:
    share.remove(probe)
    if probe.folder.path:
        share.remove_folder(probe.folder)


def _probe_in(root: Root, folder: str) -> Place:
    return Place(root, "" if root is Root.STATE else folder).child(temp_name())
