"""Which files the system lets this process take out of a folder."""

from __future__ import annotations

import functools
import os
import stat
import sys

from paxect_batch.model.items import Removal

_CAP_FOWNER = 1 << 3
_AS_EFFECTIVE = os.access in os.supports_effective_ids


def removal(folder_fd: int) -> Removal:
    """Tell it of an open folder; the system may be mistaken when it says no."""
    needed = os.W_OK | os.X_OK
    if not os.access(b".", needed, dir_fd=folder_fd, effective_ids=_AS_EFFECTIVE):
        return Removal.NONE
    found = os.fstat(folder_fd)
    if found.st_mode & stat.S_ISVTX and not (is_own(found) or _is_above_owners()):
        return Removal.OWN
    return Removal.ANY


def is_own(found: os.stat_result) -> bool:
    """Tell whether it is this user's."""
    return sys.platform == "win32" or found.st_uid == os.geteuid()


@functools.cache
def _is_above_owners() -> bool:
    """Tell whether the process may do what only owners may."""
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"CapEff:"):
                    return bool(int(line.split()[1], 16) & _CAP_FOWNER)
    except OSError:
        pass
    return sys.platform != "win32" and os.geteuid() == 0
