"""Rename without replacing, by the system's own call where there is one.

NFS answers EINVAL to that call, old kernels ENOSYS, other systems ENOTSUP: there it is
a look and a rename, which a caller must make safe by a claim. A file that may have two
names for a moment can be moved by a link, which servers refuse if a name is taken.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable

_RENAME_NOREPLACE = 1  # Linux
_RENAME_EXCL = 4  # macOS
_CALL_IS_MISSING = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)

# File systems without links, and systems that grant none of others' files.
_CANNOT_LINK = (errno.EPERM, errno.EMLINK, *_CALL_IS_MISSING)

_Call = Callable[[int, bytes, int, bytes], int]
"""Returns 0, or the error's number."""


def rename_new(old_fd: int, old_name: bytes, new_fd: int, new_name: bytes) -> None:
    """Rename between two open folders; `FileExistsError` if the name is taken."""
    call = _system_call()
    if call is not None:
        number = call(old_fd, old_name, new_fd, new_name)
        if number == 0:
            return
        if number not in _CALL_IS_MISSING:
            raise OSError(number, os.strerror(number), old_name, None, new_name)
    _look_and_rename(old_fd, old_name, new_fd, new_name)


def move_new(old_fd: int, old_name: bytes, new_fd: int, new_name: bytes) -> None:
    """Link and remove; as `rename_new` where files cannot have two names."""
    try:
        os.link(
            old_name,
            new_name,
            src_dir_fd=old_fd,
            dst_dir_fd=new_fd,
            follow_symlinks=False,
        )
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        rename_new(old_fd, old_name, new_fd, new_name)
        return
    os.unlink(old_name, dir_fd=old_fd)


def ask_system(folder: str, old_name: str, new_name: str) -> int | None:
    """Rename by the system's call alone: 0, or the error's number; None without one."""
    call = _system_call()
    if call is None:
        return None
    fd = os.open(folder, os.O_RDONLY)
    try:
        return call(fd, os.fsencode(old_name), fd, os.fsencode(new_name))
    finally:
        os.close(fd)


def _look_and_rename(
    old_fd: int, old_name: bytes, new_fd: int, new_name: bytes
) -> None:
    # An NFS client may know for half a minute that a name is free, until it opens the
    # folder to read.
    with contextlib.suppress(OSError):
        os.close(os.open(b".", os.O_RDONLY, dir_fd=new_fd))
    try:
        os.stat(new_name, dir_fd=new_fd, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(old_name, new_name, src_dir_fd=old_fd, dst_dir_fd=new_fd)
        return
    raise FileExistsError(
        errno.EEXIST, os.strerror(errno.EEXIST), old_name, None, new_name
    )


@functools.cache
def _system_call() -> _Call | None:
    name, flag = {
        "linux": ("renameat2", _RENAME_NOREPLACE),
        "darwin": ("renameatx_np", _RENAME_EXCL),
    }.get(sys.platform, ("", 0))
    if not name:
        return None
    # Imported here, for processes that never rename.
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return None
    function.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    )

    def call(old_fd: int, old_name: bytes, new_fd: int, new_name: bytes) -> int:
        if function(old_fd, old_name, new_fd, new_name, flag) == 0:
            return 0
        return ctypes.get_errno()

    return call
