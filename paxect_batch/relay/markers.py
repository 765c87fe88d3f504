"""Markers: files by which a producer calls another of its files whole.

One goes before its file does: alone it would call the next file of that name whole. So
whoever leaves the file where it was puts its marker back.
"""

from __future__ import annotations

from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place
from paxect_batch.seams import Share
from paxect_batch.work.sources import look_at_source

_KINDS = (Kind.FILE, Kind.LINK)
"""A folder of such a name is somebody's folder."""


def is_marked(share: Share, source: Place, suffix: str) -> bool:
    """Tell whether the file is called whole."""
    facts = look_at_source(share, _marker(source, suffix))
    return facts is not None and facts.kind in _KINDS


def drop_marker(share: Share, source: Place, suffix: str) -> bool:
    """Remove the file's marker; tell whether there was one."""
    try:
        return share.remove(_marker(source, suffix))
    except OSError:
        if is_marked(share, source, suffix):
            raise
        return False


def put_marker_back(share: Share, source: Place, suffix: str) -> None:
    """Call the file whole again."""
    try:
        share.create(_marker(source, suffix)).close()
    except FileExistsError:
        return


def _marker(source: Place, suffix: str) -> Place:
    return source.beside(source.name + suffix)
