"""Open papers by their paths, and nothing that only passes for one.

Opening a fifo waits for whoever writes to it, and a link leads elsewhere. Whoever may
write below the state folder could stop every node that way.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import IO

from paxect_batch.world.delegations import open_file
from paxect_batch.world.tree import READ

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
WRITE = os.O_WRONLY | _AT_ONCE | _NO_LINK | getattr(os, "O_BINARY", 0)
"""To write over a file that is there, if it is one."""
FOLDER = os.O_RDONLY | _AT_ONCE | getattr(os, "O_DIRECTORY", 0)
"""To open a folder, if it is one."""

_NO_FILE = (errno.ELOOP, errno.ENXIO, errno.EISDIR)


class NotPlain(OSError):
    """What lies there is a folder, a link, a fifo or the like."""


def open_plain(path: str, *, follows: bool = False) -> IO[bytes]:
    """Open a regular file to read, unbuffered; `NotPlain` if it is something else.

    `follows` takes a link for the file that it leads to, as operators lay them.
    """
    try:
        fd = open_file(path, READ if follows else READ | _NO_LINK)
    except OSError as error:
        # Windows calls it a matter of permission to open a folder.
        if error.errno in _NO_FILE or os.path.isdir(path):
            raise _not_plain(path) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise _not_plain(path)
        return os.fdopen(fd, "rb", buffering=0)
    except BaseException:
        os.close(fd)
        raise


def _not_plain(path: str) -> NotPlain:
    return NotPlain(errno.EINVAL, "not a regular file", path)
