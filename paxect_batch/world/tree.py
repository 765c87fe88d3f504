"""What a share needs of the operating system's file calls, below one set of roots.

A path never leads outside its root: it has no `..`, is never absolute, and no part of
it is followed if it is a link. Errors are those of the system, and tell of the place as
text; a path that cannot be meant is EINVAL, a link where a folder should be is ELOOP.

`tree_descriptors` holds for POSIX, where folders are opened one by one and held by
their descriptors, so that a folder swapped for a link meanwhile changes nothing.
`tree_paths` does what can be done where the system has only paths.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from typing import Protocol

from paxect_batch.model.items import Removal
from paxect_batch.model.places import Place, Root, to_bytes

TEMP_PREFIX = ".paxect-"
TEMP_SUFFIX = ".tmp"

READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""To open what may turn out to be a fifo, without waiting for its writer."""
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NOCTTY", 0)
"""For the last name of a path."""
LIST = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

_IMPOSSIBLE_PARTS = (b"", b".", b"..")
_IMPOSSIBLE_BYTES = re.compile(rb"[\0/\\:]" if sys.platform == "win32" else rb"[\0/]")


class Tree(Protocol):
    """File calls on places, each as the system has it; no link is followed."""

    def open(self, place: Place, flags: int) -> int:
        """Return a descriptor, not inherited by child processes."""

    def stat(self, place: Place) -> os.stat_result:
        """Return what a name stands for."""

    def look(self, place: Place) -> os.stat_result:
        """Return what a name stands for now, whatever was known of it before.

        EACCES for a file that may not be read, where it has to be opened for that.
        """

    def scan(self, folder: Place) -> Iterator[os.DirEntry[str]]:
        """Stream a folder's entries; their paths mean nothing."""

    def make(self, folder: Place) -> None:
        """Make one folder."""

    def remove(self, place: Place) -> None:
        """Remove a file."""

    def remove_folder(self, folder: Place) -> None:
        """Remove an empty folder."""

    def replace(self, source: Place, target: Place) -> None:
        """Rename, in place of what is there."""

    def rename_new(self, source: Place, target: Place) -> None:
        """Rename; `FileExistsError` if the name is taken."""

    def move_new(self, source: Place, target: Place) -> None:
        """The same; never in place of what is there, if the file may have two names."""

    def open_folder(self, folder: Place) -> int:
        """Return a descriptor by which a folder's entries can be made durable."""

    def sync_folder(self, folder: Place) -> None:
        """Make a folder's entries durable, where the system can."""

    def removal(self, folder: Place) -> Removal:
        """Which files the system says may be taken out of a folder."""

    def free_bytes(self, root: Root) -> int:
        """How much an unprivileged user can still write."""

    def dress(self, stream_fd: int, place: str, times_ns: tuple[int, int]) -> None:
        """Give an open file its access and modification times."""


def parts_of(place: Place) -> list[bytes]:
    """Return the names that the place's path is made of; EINVAL if it cannot be one."""
    if not place.path:
        return []
    return [name_of(place, name) for name in place.path.split("/")]


def name_of(place: Place, name: str) -> bytes:
    """Return a part of the place's path as the system has it; EINVAL if it is none."""
    try:
        part = to_bytes(name)
    except UnicodeEncodeError:
        raise impossible(place) from None
    if part in _IMPOSSIBLE_PARTS or _IMPOSSIBLE_BYTES.search(part):
        raise impossible(place)
    return part


def impossible(place: Place) -> OSError:
    """Return the error for a path that does not lie below its root."""
    return OSError(errno.EINVAL, "not a path below a root", str(place))


def linked(place: Place) -> OSError:
    """Return the error for a path that leads through a link."""
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(place))


def tell_places(error: OSError, arguments: Sequence[object]) -> None:
    """Let an error tell of the places among the arguments of the call that met it."""
    texts = [str(place) for place in arguments if isinstance(place, Place)]
    if texts:
        error.filename = texts[0]
    if len(texts) > 1:
        error.filename2 = texts[1]


def temp_name() -> str:
    """Return a new name for a file of a moment, which no scan takes for an item."""
    return f"{TEMP_PREFIX}{secrets.token_hex(8)}{TEMP_SUFFIX}"
