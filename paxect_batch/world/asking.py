"""Ask a file server what a name stands for, past what the client remembers.

Linux has a call that looks at a file and does not go by remembered attributes. It costs
one round trip, where opening, looking and closing costs three or four.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable

_AT_SYMLINK_NOFOLLOW = 0x100
_AT_NO_AUTOMOUNT = 0x800
_AT_STATX_FORCE_SYNC = 0x2000
_STATX_BASIC_STATS = 0x7FF
_STATX_BYTES = 256

_Call = Callable[[bytes, int], int]
"""Returns 0, or the error's number."""


def can_ask() -> bool:
    """Tell whether the system has such a call."""
    return _system_call() is not None


def ask(name: bytes, folder_fd: int) -> os.stat_result:
    """Return what a name in an open folder stands for now; no link is followed."""
    call = _system_call()
    assert call is not None
    number = call(name, folder_fd)
    if number:
        raise OSError(number, os.strerror(number), name)
    # The client remembers what the server just said.
    return os.stat(name, dir_fd=folder_fd, follow_symlinks=False)


@functools.cache
def _system_call() -> _Call | None:
    if sys.platform != "linux":
        return None
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), "statx", None)
    if function is None:
        return None
    function.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_void_p,
    )

    def call(name: bytes, folder_fd: int) -> int:
        found = ctypes.create_string_buffer(_STATX_BYTES)
        # Without the second an SMB client would go by names it found missing before.
        flags = _AT_SYMLINK_NOFOLLOW | _AT_NO_AUTOMOUNT | _AT_STATX_FORCE_SYNC
        if function(folder_fd, name, flags, _STATX_BASIC_STATS, found) == 0:
            return 0
        return ctypes.get_errno()

    return call
