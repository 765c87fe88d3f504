"""Of which kind the file system of an open file is, as far as Linux tells."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable

# f_type of statfs: ext2 to ext4, xfs, btrfs, tmpfs, f2fs, zfs
_LOCAL_TYPES = (0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0xF2F52010, 0x2FC12FC1)
# Of these, those whose `syncfs` makes all of it durable, and tells if it could not.
_WHOLE_TYPES = _LOCAL_TYPES[:4]
_SMB_TYPES = (0xFF534D42, 0xFE534D42, 0x517B)
_NFS_TYPES = (0x6969,)
_DEVICES_MAX = 64
_KNOWN_SECONDS_MAX = 60.0


def is_local(fd: int, device: int | None = None) -> bool:
    """Tell whether it is one of this machine that answers for its files' writers.

    Whoever knows on which device the file is spares a question.
    """
    return _type(fd, device) in _LOCAL_TYPES


def is_far(path: bytes) -> bool:
    """Tell whether what lies there is reached by a server, as far as Linux tells."""
    try:
        return sys.platform == "linux" and not _told_of(path, is_local)
    except OSError:
        return False


def is_on_smb(path: str) -> bool:
    """Tell whether what lies there is an SMB server's; `OSError` if it is not there.

    Linux tells; Windows has hardly any other shares.
    """
    if sys.platform == "linux":
        return _told_of(path, is_smb)
    return sys.platform == "win32"


def is_on_nfs(path: str) -> bool:
    """Tell whether what lies there is an NFS server's, as far as Linux tells."""
    try:
        return sys.platform == "linux" and _told_of(path, is_nfs)
    except OSError:
        return False


def _told_of(path: str | bytes, tell: Callable[[int], bool]) -> bool:
    # Only to ask about it, where that can be said: a server need not hear of it.
    fd = os.open(path, getattr(os, "O_PATH", os.O_RDONLY))
    try:
        return tell(fd)
    finally:
        os.close(fd)


def syncs_whole(fd: int, device: int | None = None) -> bool:
    """Tell whether one call makes all durable that was written to it."""
    return _type(fd, device) in _WHOLE_TYPES


def is_smb(fd: int, device: int | None = None) -> bool:
    """Tell whether it is an SMB server's, by which times may stand still."""
    return _type(fd, device) in _SMB_TYPES


def is_nfs(fd: int) -> bool:
    """Tell whether it is an NFS server's."""
    return _type(fd) in _NFS_TYPES


def _type(fd: int, device: int | None = None) -> int:
    if sys.platform != "linux":
        return 0
    if device is None:
        device = os.fstat(fd).st_dev
    found, known_since = _known.get(device, (0, -math.inf))
    now = time.monotonic()
    # What is mounted next may get the number of what was unmounted.
    if now - known_since > _KNOWN_SECONDS_MAX:
        if len(_known) >= _DEVICES_MAX:
            _known.clear()
        found = _asked(fd)
        _known[device] = (found, now)
    return found


_known: dict[int, tuple[int, float]] = {}
"""The type on a device, and since when that is known."""


def _asked(fd: int) -> int:
    import ctypes

    # The first field of every Linux struct statfs, whose whole is below 256 bytes.
    found = ctypes.create_string_buffer(256)
    if ctypes.CDLL(None).fstatfs(fd, found) != 0:
        return 0
    return ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF
