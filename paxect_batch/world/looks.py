"""Learn what a name in an open folder stands for now, whatever was known of it before.

How that is asked depends on the file system: see `way_to_look`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable

from paxect_batch.world.asking import ask, can_ask
from paxect_batch.world.delegations import way_to_open
from paxect_batch.world.file_systems import is_local, is_nfs, is_smb
from paxect_batch.world.tree import LIST, NO_LINK, READ


def way_to_look(folder_fd: int) -> Callable[[int, bytes], os.stat_result]:
    """Return how to learn what a name in a folder stands for now."""
    if is_local(folder_fd):
        return _look_here
    if can_ask() and is_nfs(folder_fd):
        return _look_on_nfs
    if can_ask() and is_smb(folder_fd):
        return _look_on_smb
    return _look_by_opening


def _look_here(folder_fd: int, name: bytes) -> os.stat_result:
    return os.stat(name, dir_fd=folder_fd, follow_symlinks=False)


def _look_on_nfs(folder_fd: int, name: bytes) -> os.stat_result:
    # A client asks about the file that it remembers under that name; whether that is
    # still its name it asks when the folder is opened.
    see(folder_fd)
    return ask(name, folder_fd)


def _look_on_smb(folder_fd: int, name: bytes) -> os.stat_result:
    # A client asks by path.
    return ask(name, folder_fd)


def _look_by_opening(folder_fd: int, name: bytes) -> os.stat_result:
    see(folder_fd)
    found = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        return found
    fd = way_to_open(folder_fd)(name, READ | NO_LINK, dir_fd=folder_fd)
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def see(folder_fd: int) -> None:
    """Have a client look at the folder anew."""
    with contextlib.suppress(PermissionError):  # one to pass through only
        os.close(os.open(b".", LIST, dir_fd=folder_fd))
