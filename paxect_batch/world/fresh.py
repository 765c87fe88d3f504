"""Have the next listing of a folder show what other clients did in it.

Where a mount is fit, opening the folder suffices. Elsewhere a client goes on by what it
knew, for half a minute or more, until it changes the folder itself.
"""

from __future__ import annotations

import contextlib
import errno
import os

from paxect_batch.world.tree import CREATE, temp_name

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)


def freshen(folder: str) -> None:
    """Change the folder, by a file of a moment; fine if it is not there."""
    probe = os.path.join(folder, temp_name())
    try:
        fd = os.open(probe, CREATE)
    except OSError as error:
        if error.errno not in _GONE:
            raise
    else:
        os.close(fd)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(probe)
