"""How soon one node sees what another did to names, and what makes it look again.

Each probe gives a question and the answer that this share gave, in words.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

from guest import Guest, RefusedByGuest
from lab import SHARE, SHARE_ON_SERVER, Lab

SEEN_WITHIN_SECONDS = 75.0

Finding = tuple[str, str]

_FRESHENERS = (
    "nothing",
    "stat of the folder",
    "open and fstat of the folder",
    "open of it without reading (O_PATH)",
    "fstat of a kept descriptor",
    "open of . by a kept descriptor",
    "sync of the folder",
    "remove a name that is not there",
    "utime of the folder",
    "flock of a file in it",
    "create and remove",
    "listing of the folder",
    "1.2 s",
)
_CHANGES = ("created", "renamed from another folder", "removed", "renamed away")
_number = itertools.count(1)


def probes(lab: Lab) -> Iterator[Finding]:
    """Give a finding for each question."""
    yield from _no_replace(lab)
    yield from _freshening(lab)
    yield from _open_files(lab)
    yield from _waiting(lab)


def folder_of(lab: Lab) -> str:
    """Make a folder that all nodes have listed, and return where it is."""
    name = f"folder-{next(_number)}"
    lab.server.do("make_folder", path=f"{SHARE_ON_SERVER}/{name}")
    path = f"{SHARE}/{name}"
    for node in lab.nodes:
        lab[node].do("names", folder=path)
    return path


def _warm(guest: Guest, path: str, *, folder: str) -> None:
    """Have a node know about a name, whether it is there or not, and its folder."""
    for _ in range(3):
        guest.do("names", folder=folder)
        guest.do("size", path=path, how="stat")
        guest.do("size", path=path, how="open")


def _freshening(lab: Lab) -> Iterator[Finding]:
    """Whether an act makes a new name, and a name that went, seen at once."""
    for how in _FRESHENERS:
        folder = folder_of(lab)
        yield f"after {how}: what is out of date", stale(lab, folder, how)
    for how in ("nothing", "open and fstat of the folder", "create and remove"):
        yield (
            f"after {how}, in the folder that is mounted: what is out of date",
            stale(lab, SHARE, how),
        )


def stale(lab: Lab, folder: str, how: str) -> str:
    """Have node1 change names in a folder; tell what node2 then has wrong."""
    first, second = lab["node1"], lab["node2"]
    came, gone, moved, stage = (
        f"{folder}/{name}-{next(_number)}"
        for name in ("came", "gone", "moved", "stage")
    )
    first.do("create", path=gone, text="x", sync=True)
    first.do("create", path=stage, text="x", sync=True)
    second.do("keep_folder", folder=folder)
    for path in (came, gone, stage, moved):
        _warm(second, path, folder=folder)
        second.do("names_kept", folder=folder)
    first.do("create", path=came, text="x", sync=True)
    first.do("remove", path=gone)
    first.do("rename", source=stage, target=moved)
    second.do("freshen", folder=folder, how=how)
    looks = {
        "stat of the new": (second.do("size", path=came, how="stat"), 1),
        "open of the new": (second.do("size", path=came, how="open"), 1),
        "open of the renamed": (second.do("size", path=moved, how="open"), 1),
        "stat of the removed": (_sure(second, gone, "stat"), None),
        "open of the removed": (_sure(second, gone, "open"), None),
        "open of the old name": (_sure(second, stage, "open"), None),
    }
    stale = [
        f"{what} ({seen})" if isinstance(seen, str) else what
        for what, (seen, true) in looks.items()
        if seen != true
    ]
    for what, act in (
        ("listing by a kept descriptor", "names_kept"),
        ("listing", "names"),
    ):
        names = second.do(act, folder=folder)
        if came.rpartition("/")[2] not in names or gone.rpartition("/")[2] in names:
            stale.append(what)
    return ", ".join(stale) if stale else "nothing"


def _sure(guest: Guest, path: str, how: str) -> Any:
    try:
        return guest.do("size", path=path, how=how)
    except RefusedByGuest as error:
        return str(error)


def _waiting(lab: Lab) -> Iterator[Finding]:
    """How long until it is seen, if nothing is done for it."""
    first, second = lab["node1"], lab["node2"]
    for how in ("listing", "listing by a kept descriptor", "stat", "open"):
        for change in _CHANGES:
            folder, other = folder_of(lab), folder_of(lab)
            path = f"{folder}/name"
            appears = change in ("created", "renamed from another folder")
            if not appears:
                first.do("create", path=path, text="x", sync=True)
            elif change != "created":
                first.do("create", path=f"{other}/stage", text="x", sync=True)
            _warm(second, path, folder=folder)
            _change(first, change, path, other)
            took = second.do(
                "see", how=how, path=path, want=appears, within=SEEN_WITHIN_SECONDS
            )
            yield (
                f"a name {change} by another node, seen by {how}",
                "never" if took is None else f"after {took:.1f} s",
            )


def _change(guest: Guest, change: str, path: str, other: str) -> None:
    if change == "created":
        guest.do("create", path=path, text="x", sync=True)
    elif change == "removed":
        guest.do("remove", path=path)
    elif change == "renamed away":
        guest.do("rename", source=path, target=f"{other}/aside")
    else:
        guest.do("rename", source=f"{other}/stage", target=path)


def _no_replace(lab: Lab) -> Iterator[Finding]:
    first, second = lab["node1"], lab["node2"]
    folder = folder_of(lab)
    stage, taken, free = (f"{folder}/{name}" for name in ("stage", "taken", "free"))
    for path in (stage, taken):
        first.do("create", path=path, text="x", sync=True)
    yield (
        "renameat2 without replacing, onto a taken name",
        first.do("rename_new", source=stage, target=taken),
    )
    yield (
        "renameat2 without replacing, onto a free name",
        first.do("rename_new", source=stage, target=free),
    )
    first.do("create", path=f"{folder}/one", text="x", sync=True)
    yield (
        "link, onto a free name",
        first.do("link", source=f"{folder}/one", target=f"{folder}/two"),
    )
    yield (
        "link, onto a taken name",
        first.do("link", source=f"{folder}/one", target=taken),
    )
    # The other node has looked the name up and knows it as free.
    late = f"{folder}/late"
    second.do("create", path=f"{folder}/mine", text="mine", sync=True)
    _warm(second, late, folder=folder)
    first.do("create", path=late, text="its", sync=True)
    yield (
        "exclusive create of a name that this node knows as free",
        str(not second.do("create", path=late, text="mine", sync=True))
        .replace("True", "refused")
        .replace("False", "BOTH HAVE IT"),
    )
    for act in ("rename_new", "look_and_rename", "link"):
        for how in ("nothing", "open and fstat of the folder", "listing of the folder"):
            yield (
                f"{act} onto a name that another node just took, after {how}",
                _onto_taken(lab, act, how),
            )


def _onto_taken(lab: Lab, act: str, how: str) -> str:
    """Tell what it gave, and whose bytes then bear the name."""
    first, second = lab["node1"], lab["node2"]
    folder = folder_of(lab)
    target = f"{folder}/target"
    second.do("create", path=f"{folder}/mine", text="mine", sync=True)
    _warm(second, target, folder=folder)
    first.do("create", path=target, text="its", sync=True)
    second.do("freshen", folder=folder, how=how)
    told = second.do(act, source=f"{folder}/mine", target=target)
    on_server = target.replace(SHARE, SHARE_ON_SERVER)
    kept = lab.server.do("read", path=on_server) == "its"
    return f"{told}; {'the other file stays' if kept else 'THE OTHER FILE IS GONE'}"


def _open_files(lab: Lab) -> Iterator[Finding]:
    first, second = lab["node1"], lab["node2"]
    folder = folder_of(lab)
    for act in ("remove", "rename", "replace"):
        path = f"{folder}/open-{act}"
        first.do("create", path=path, text="old", sync=True)
        second.do("open", path=path, keep=act)
        if act == "remove":
            told = first.do("remove", path=path)
        elif act == "rename":
            told = first.do("rename", source=path, target=f"{path}.aside")
        else:
            first.do("create", path=f"{path}.new", text="new", sync=True)
            told = first.do("rename", source=f"{path}.new", target=path)
        yield f"{act} of a file that another node has open to read", told
        yield (
            f"{act}: that node reads on",
            _told(lambda a=act: second.do("read_open", keep=a)),
        )
        yield f"{act}: the name is then", str(first.do("names", folder=folder))
        second.do("close", keep=act)
    path = f"{folder}/written"
    first.do("create", path=path, text="old", sync=True)
    second.do("open", path=path, keep="w", write=True)
    yield (
        "rename aside of a marker that another node has open to write",
        first.do("rename", source=path, target=f"{path}.aside"),
    )
    yield (
        "that node writes on",
        _told(lambda: second.do("write_open", keep="w", text="new")),
    )
    yield "what is read under the new name", str(first.do("read", path=f"{path}.aside"))
    first.do("remove", path=f"{path}.aside")
    time.sleep(1.0)
    yield (
        "that node writes on after it was removed",
        _told(lambda: second.do("write_open", keep="w", text="new")),
    )


def _told(act: Any) -> str:
    try:
        return f"done: {act()!r}"
    except RefusedByGuest as error:
        return str(error)
