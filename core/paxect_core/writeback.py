"""Have the system take a new file to the disk while more of it is written.

Left to itself it may begin when the file is synced, and whoever syncs waits for all of
it. To begin is a hint: it makes nothing durable, and what goes wrong with it is told by
the sync.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

STEP_BYTES = 8 << 20
"""So much is let go at once: enough for a disk, and small files are left alone."""

_SYNC_FILE_RANGE_WRITE = 2

_call: Callable[[int, int, int, int], object] | None = None


class Writeback:
    """A new file, to be written from its beginning to its end and synced then."""

    __slots__ = ("_begun", "_file", "_written")

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = 0
        self._written = 0

    @property
    def name(self) -> str:
        """What the file is called."""
        return self._file.name

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._file.fileno()

    def write(self, data: bytes | memoryview, /) -> int | None:
        """Write what the file takes, and now and then have the system begin."""
        count = self._file.write(data)
        if count:
            self._written += count
            size = self._written - self._begun
            if size >= STEP_BYTES:
                _begin(self._file.fileno(), self._begun, size)
                self._begun = self._written
        return count


def _begin(fd: int, start: int, size: int) -> None:
    global _call
    if _call is None:
        _call = _load()
    _call(fd, start, size, _SYNC_FILE_RANGE_WRITE)


def _load() -> Callable[[int, int, int, int], object]:
    if sys.platform == "linux":
        # Imported here because it takes longer than to write what is small.
        import ctypes

        call = getattr(ctypes.CDLL(None), "sync_file_range", None)
        if call is not None:
            offset = ctypes.c_int64
            call.argtypes = (ctypes.c_int, offset, offset, ctypes.c_uint)
            return call  # type: ignore[no-any-return]
    return _cannot


def _cannot(_fd: int, _start: int, _size: int, _flags: int) -> None:
    """Stand in where the system has no such call."""
