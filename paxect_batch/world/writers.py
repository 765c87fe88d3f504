"""Whether some process has a file open to write: asked of the kernel by a read lease.

A lease to read is refused with EAGAIN while anyone writes, also through a mapping. That
holds for local file systems only: NFS and SMB clients refuse for reasons of their own,
so for them, and wherever the kernel says anything else, the answer is unknown.
"""

from __future__ import annotations

import errno
import math
import os
import signal
import sys
import time

# f_type of statfs: ext2 to ext4, xfs, btrfs, tmpfs, f2fs, zfs
_LOCAL_TYPES = (0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0xF2F52010, 0x2FC12FC1)
_DEVICES_MAX = 64
_KNOWN_SECONDS_MAX = 60.0


def has_writer(fd: int) -> bool | None:
    """Say whether the file that is open to read has a writer; None if unknown.

    A producer that opens it in that very instant is let through at once.
    """
    if sys.platform != "linux":
        return None
    if not _is_local(fd):
        return None
    import fcntl

    try:
        # Whoever opens the file to write breaks the lease, of which its holder is told
        # by SIGIO, which ends a process; SIGURG does nothing unless one asks for it.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _is_local(fd: int) -> bool:
    device = os.fstat(fd).st_dev
    local, known_since = _known.get(device, (False, -math.inf))
    now = time.monotonic()
    # What is mounted next may get the number of what was unmounted.
    if now - known_since > _KNOWN_SECONDS_MAX:
        if len(_known) >= _DEVICES_MAX:
            _known.clear()
        local = _file_system_type(fd) in _LOCAL_TYPES
        _known[device] = (local, now)
    return local


_known: dict[int, tuple[bool, float]] = {}
"""Whether a device is local, and since when that is known."""


def _file_system_type(fd: int) -> int:
    import ctypes

    # The first field of every Linux struct statfs, whose whole is below 256 bytes.
    found = ctypes.create_string_buffer(256)
    if ctypes.CDLL(None).fstatfs(fd, found) != 0:
        return 0
    return ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF
