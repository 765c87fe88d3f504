"""Make the content of open files durable with as few waits as their file system takes.

A disk waits for each `fsync`. On the file systems of this machine, Linux makes all that
was written to one of them durable with one call, which waits once; it also waits for
what others wrote, so that it is left alone for a while where that took long. Servers'
file systems answer for each file alone.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from paxect_batch.world.file_systems import is_local, syncs_whole

TOGETHER_MIN = 4
"""Fewer files than that are made durable one by one."""
SLOW_SECONDS = 0.05
"""What one call may take for each file, before it is taken for others' doing."""
ALONE_CALLS = 32
"""How often files go one by one after that."""

# Before it, the call did not tell of what could not be written.
_TELLS_SINCE = (5, 8)

_Call = Callable[[int], int]
"""Returns 0, or the error's number."""


def sync_file(fd: int) -> None:
    """Make an open file's content durable."""
    if sys.platform == "darwin":
        import fcntl

        # fsync leaves the data in the drive's cache there.
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
        else:
            return
    try:
        os.fsync(fd)
    except OSError as error:
        # Windows takes that for a file which is open to read as a mistake.
        if sys.platform != "win32" or error.errno != errno.EBADF:
            raise


def sync_around(fd: int) -> None:
    """Make durable what surrounds an open file: its name, and those beside it.

    By all of its file system, where that is one of this machine; a server has made
    names durable before it answers.
    """
    call = _system_call()
    if call is not None and is_local(fd):
        number = call(fd)
        if number:
            raise OSError(number, os.strerror(number))
    else:
        sync_file(fd)


T = TypeVar("T")


def met(sync: Callable[[T], None], file: T) -> OSError | None:
    """Make a file durable; return what it met, instead of raising it."""
    try:
        sync(file)
    except OSError as error:
        return error
    return None


class Each(Protocol):
    """Acts on several things, at once or one by one."""

    def __call__(self, act: Callable[[T], object], items: Sequence[T]) -> None: ...  # noqa: D102


def one_by_one(act: Callable[[T], object], items: Sequence[T]) -> None:
    """See `Each`."""
    for item in items:
        act(item)


def all_met(
    sync: Callable[[T], None], files: Sequence[T], each: Each
) -> tuple[OSError | None, ...]:
    """Make files durable; return what each met."""
    found: list[OSError | None] = [None] * len(files)

    def act(number: int) -> None:
        found[number] = met(sync, files[number])

    each(act, range(len(files)))
    return tuple(found)


class Syncing:
    """Makes files durable that one process wrote."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._alone = 0

    def sync_all(
        self, fds: Sequence[int], each: Each = one_by_one
    ) -> tuple[OSError | None, ...]:
        """Make open files durable; tell of each what it met.

        A file is told of once: asked again, the system forgets that it lost something.
        """
        if len(fds) >= TOGETHER_MIN and self.together(fds):
            return (None,) * len(fds)
        return all_met(sync_file, fds, each)

    def together(self, fds: Sequence[int]) -> bool:
        """Make open files or folders durable by one call; False if that cannot be."""
        if self._alone:
            self._alone -= 1
            return False
        call = _system_call()
        try:
            if call is None:
                return False
            devices = {os.fstat(fd).st_dev: fd for fd in reversed(fds)}
            if not all(syncs_whole(fd, device) for device, fd in devices.items()):
                return False
        except OSError:
            return False
        began = self._monotonic()
        done = _all_done(call, devices.values())
        if self._monotonic() - began > SLOW_SECONDS * len(fds):
            self._alone = ALONE_CALLS
        return done


def _all_done(call: _Call, fds: Iterable[int]) -> bool:
    # It fails for what anybody wrote; each file then tells of itself.
    return all(call(fd) == 0 for fd in fds)


@functools.cache
def _system_call() -> _Call | None:
    if sys.platform != "linux" or _version(os.uname().release) < _TELLS_SINCE:
        return None
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int,)

    def call(fd: int) -> int:
        return 0 if function(fd) == 0 else ctypes.get_errno()

    return call


def _version(release: str) -> tuple[int, ...]:
    """Return the first two numbers of a kernel's release; nothing if it has none."""
    numbers = release.split(".", maxsplit=2)[:2]
    return tuple(int(number) for number in numbers if number.isdecimal())
