"""Refuse folders that lie in one another so that a run would take what it made.

What arrives below a folder from which files are taken is taken again, without end; and
what the relay keeps for itself is no item. Folders are compared as the file system
knows them, so that a link, a mount or another spelling does not hide that two are one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Root
from paxect_batch.rules.naming import is_temporary

WIRE_NAME = "wire"
"""The only folder of the relay's own, `.paxect`, that may be a root: as the wire."""


def require_apart(roots: dict[Root, str], mode: Mode) -> None:
    """Raise `ConfigError` if a run that way would take what it made itself.

    Folders need not exist yet. What lies below a folder that a scan passes over, such
    as `.paxect`, is not taken, and where containers lie in the inbox itself they are
    told by their names.
    """
    require_two(roots)
    _require_outside_state(roots)
    takes = {
        Mode.ENCODE: (Root.INBOX,),
        Mode.DECODE: (Root.WIRE,),
        Mode.RELAY: (Root.INBOX, Root.WIRE),
    }[mode]
    for taken in takes:
        _require_not_taken(roots, Root.STATE, taken)
    if Root.INBOX not in takes:
        return
    if roots[Root.WIRE] != roots[Root.INBOX]:
        _require_not_taken(roots, Root.WIRE, Root.INBOX)
    if mode is Mode.RELAY:
        _require_not_taken(roots, Root.OUTBOX, Root.INBOX)


def require_no_item(said: str, path: str, roots: dict[Root, str], mode: Mode) -> None:
    """Raise `ConfigError` if what a run writes beside its work would be an item."""
    if mode is Mode.DECODE:
        return
    way = _way_down(path, roots[Root.INBOX])
    if way is None or any(map(is_temporary, way)):
        return
    raise ConfigError(
        f"{said} lies in the inbox {roots[Root.INBOX]!r}, so that it would be taken as "
        "a file to send; nothing was touched; name a file elsewhere"
    )


def require_two(roots: dict[Root, str]) -> None:
    """Raise `ConfigError` if the inbox and the outbox are one folder."""
    inbox, outbox = roots[Root.INBOX], roots[Root.OUTBOX]
    if _way_down(outbox, inbox) == []:
        names = f"both {inbox!r}"
        if inbox != outbox:
            names = f"one folder, {inbox!r} and {outbox!r}"
        raise ConfigError(
            f"inbox and outbox are {names}; nothing was touched; use two folders"
        )


def _require_outside_state(roots: dict[Root, str]) -> None:
    state = roots[Root.STATE]
    for root in (Root.INBOX, Root.OUTBOX, Root.WIRE):
        way = _way_down(roots[root], state)
        if way is None or (root is Root.WIRE and way[:1] == [WIRE_NAME]):
            continue
        where = f"lies in {state!r}," if way else "is"
        raise ConfigError(
            f"the {root} {roots[root]!r} {where} where the relay keeps what it needs "
            "itself; nothing was touched; use a folder outside it"
        )


def _require_not_taken(roots: dict[Root, str], made: Root, taken: Root) -> None:
    """Raise `ConfigError` if what is made in one root would be found in the other."""
    way = _way_down(roots[made], roots[taken])
    if way is None or any(map(is_temporary, way)):
        return
    if roots[made] == roots[Root.OUTBOX]:
        made = Root.OUTBOX  # where one that only encodes has its wire
    name = "relay's own folder" if made is Root.STATE else str(made)
    lies = "lies in" if way else "is the same folder as"
    raise ConfigError(
        f"the {name} {roots[made]!r} {lies} the {taken} {roots[taken]!r}, so that what "
        "is made there would be taken again; nothing was touched; use folders of "
        "which none lies in another"
    )


def _way_down(path: str, top: str) -> list[str] | None:
    """Return the names that lead from one folder down to the other, or None."""
    top_path, top_identity = os.path.normcase(os.path.realpath(top)), _identity(top)
    names: list[str] = []
    for folder in _upwards(os.path.realpath(path)):
        is_top = top_identity is not None and _identity(folder) == top_identity
        if is_top or os.path.normcase(folder) == top_path:
            return names[::-1]
        names.append(os.path.basename(folder))
    return None


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder


def _identity(folder: str) -> tuple[int, int] | None:
    """Return what is the folder's alone, if it is there and has such a thing."""
    try:
        facts = os.stat(folder)
    except OSError:
        return None
    # Some file systems of Windows have no numbers for files, and tell 0.
    return (facts.st_dev, facts.st_ino) if facts.st_ino else None
