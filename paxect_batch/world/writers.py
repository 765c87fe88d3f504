"""Whether some process has a file open to write: asked of the kernel by a read lease.

A lease to read is refused with EAGAIN while anyone writes, also through a mapping. That
holds for local file systems only: NFS and SMB clients refuse for reasons of their own,
so for them, and wherever the kernel says anything else, the answer is unknown.
"""

from __future__ import annotations

import errno
import signal
import sys

from paxect_batch.world.file_systems import is_local


def has_writer(fd: int, device: int | None = None) -> bool | None:
    """Say whether the file that is open to read has a writer; None if unknown.

    A producer that opens it in that very instant is let through at once. Whoever knows
    on which device the file is spares a question.
    """
    if sys.platform != "linux":
        return None
    if not is_local(fd, device):
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
