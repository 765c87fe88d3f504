"""Open files that are there so that an NFS server delegates none to this machine.

Whoever changes, renames or removes a file that is delegated to another machine waits
until that one has given it back. One that lost power never does, and the server gives
it up only when its own lease time is over, 90 seconds by default, and some; until then
all that others do in the file's folder waits as well.

A Linux client asks for no delegation where a file is opened for direct reading and
writing (NFS 4.1 and later). That flag is taken off again at once, so what is read and
written goes the way it always does.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Protocol

from paxect_batch.world.file_systems import is_nfs, is_on_nfs

_DIRECT = getattr(os, "O_DIRECT", 0)


class Opening(Protocol):
    """What opens a file in an open folder."""

    def __call__(
        self, path: bytes, flags: int, mode: int = 0o666, *, dir_fd: int | None
    ) -> int:
        """Return a descriptor; see `os.open`."""


def way_to_open(folder_fd: int) -> Opening:
    """Return how to open a file in a folder."""
    return _open_undelegated if _DIRECT and is_nfs(folder_fd) else os.open


def open_file(path: str, flags: int, mode: int = 0o644) -> int:
    """Return a descriptor of a file by its path; see `os.open`."""
    if _DIRECT and is_on_nfs(os.path.dirname(path)):
        return _open_undelegated(path, flags, mode, dir_fd=None)
    return os.open(path, flags, mode)


def _open_undelegated(
    path: str | bytes, flags: int, mode: int = 0o666, *, dir_fd: int | None
) -> int:
    if flags & os.O_CREAT:
        # A client that cannot do it says so when it has made the file.
        return os.open(path, flags, mode, dir_fd=dir_fd)
    try:
        fd = os.open(path, flags | _DIRECT, mode, dir_fd=dir_fd)
    except OSError as error:
        # One that was built without direct reading and writing.
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, flags, mode, dir_fd=dir_fd)
    try:
        _take_off_direct(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _take_off_direct(fd: int) -> None:
    if sys.platform == "linux":
        import fcntl

        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        fcntl.fcntl(fd, fcntl.F_SETFL, flags & ~_DIRECT)
