"""Put retired sources into the archive, which keeps their paths.

It lies on the file system of the sources' root, since a rename has to lead there. What
cannot have its path in it, because a file is where it needs a folder, or a link or
another file system is in the way, lies apart by its key.
"""

from __future__ import annotations

import errno
from typing import IO

from paxect_batch.model.about import About
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Pledge
from paxect_batch.relay import state
from paxect_batch.relay.free_names import move_to_free_name
from paxect_batch.seams import Share

_IN_THE_WAY = (errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.EEXIST)
_CHUNK_BYTES = 1 << 20


def archive(share: Share, aside: Place, source: Place, *, key: str) -> Place:
    """Archive what was moved aside; return where it is."""
    archived = _of_the_relay(aside.root, f"archive/{source}")
    try:
        return move_to_free_name(share, aside, archived) or archived
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        archived = _of_the_relay(aside.root, f"archive-apart/{key}/{source.name}")
        return move_to_free_name(share, aside, archived) or archived


def archive_copy(share: Share, pledge: Pledge, aside: Place) -> Place | None:
    """Archive a copy of a source that no rename leads away from; return where, durably.

    It is made beside the name `aside`, where it is swept if this is not finished. None
    if the source is not what was read any more.
    """
    copy = aside.beside(f"copy-{pledge.stage.name}")
    share.remove(copy)
    source = share.open_source(pledge.source)
    with source, About(copy), share.create(copy) as stream:
        while chunk := _read(source, pledge.source):
            state.write_all(stream, chunk)
        facts = share.facts_of(source)
        share.dress(stream, mtime_ns=facts.identity.mtime_ns, mode=facts.mode)
        share.sync(stream)
    if facts.identity != pledge.identity:
        share.remove(copy)
        return None
    key = state.key_of(pledge.direction, pledge.source)
    archived = archive(share, copy, pledge.source, key=key)
    share.sync_folder(archived.folder)
    return archived


def _read(source: IO[bytes], place: Place) -> bytes:
    with About(place):
        return source.read(_CHUNK_BYTES)


def _of_the_relay(root: Root, path: str) -> Place:
    return state.state(path) if root is Root.STATE else Place(root, f".paxect/{path}")
