"""Have the next listing of a folder show what other clients did in it.

Where a mount is fit, opening the folder suffices. Elsewhere a client goes on by what it
knew, for half a minute or more, until it changes the folder itself.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from typing import TypeVar

from paxect_batch.world.delegations import open_file
from paxect_batch.world.tree import CREATE, temp_name

_T = TypeVar("_T")


def freshen(folder: str) -> None:
    """Change the folder, by a file of a moment; fine if it is not there."""

    def change() -> None:
        probe = os.path.join(folder, temp_name())
        os.close(open_file(probe, CREATE))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(probe)

    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        asked_anew(change)


def asked_anew(call: Callable[[], _T]) -> _T:
    """Make a call once more if it met ESTALE: what the client knew of a path is gone.

    If it does again, nothing is known; least of all that there is nothing.
    """
    try:
        return call()
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
    return call()
