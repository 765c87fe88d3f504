"""The kernel's word that something came into a folder; see `seams.Bell`.

Linux tells of what this machine does in its own file systems, and of nothing that
another client does on a server's; other systems are not asked. Whoever waits for the
bell looks again after a while all the same: it saves time, and nothing rests on it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import selectors
import struct
import sys
from collections.abc import Iterable, Mapping

from paxect_batch.model.places import Place, Root, to_bytes
from paxect_batch.world.file_systems import is_far
from paxect_batch.world.tree import TEMP_PREFIX

FOLDERS_MAX = 8192
"""Each costs the kernel some memory, and a user may have so many on old systems."""

# As in <sys/inotify.h>.
_CLOSE_WRITE, _MOVED_TO, _CREATE = 0x8, 0x80, 0x100
_MOVE_SELF, _IGNORED = 0x800, 0x8000
_ONLY_FOLDERS, _NO_LINKS = 0x01000000, 0x02000000
_HEEDED = _CLOSE_WRITE | _MOVED_TO | _CREATE | _MOVE_SELF
_OVERFLOWN = -1
_HEAD = struct.Struct("iIII")
_READ_BYTES = 1 << 16
_OURS = TEMP_PREFIX.encode()
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def hang_bell(roots: Mapping[Root, bytes], served: Iterable[Root]) -> FolderBell | None:
    """Return a bell for those of the roots served that lie on this machine, if any."""
    if sys.platform != "linux":
        return None
    wanted = set(served)
    near = {root: roots[root] for root in wanted if not is_far(roots[root])}
    try:
        return FolderBell(near, hears_all=len(near) == len(wanted)) if near else None
    except OSError:
        return None


class FolderBell:
    """See `seams.Bell`. `heed` what is listed, and it rings for what comes later."""

    def __init__(self, roots: Mapping[Root, bytes], *, hears_all: bool = True) -> None:
        """`OSError` if the system has none left. `hears_all`: these are all roots."""
        self._roots = roots
        self.hears_all = hears_all
        self._c = ctypes.CDLL(None, use_errno=True)
        self._fd = self._c.inotify_init1(_FLAGS)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._told = selectors.DefaultSelector()
        self._told.register(self._fd, selectors.EVENT_READ)
        self._folders: dict[int, Place] = {}
        self._numbers: dict[Place, int] = {}

    def heed(self, folder: Place) -> None:
        """Ring for what comes into the folder from now on, if that can be told."""
        root = self._roots.get(folder.root)
        if root is None or _is_ours(folder.path):
            return
        known = self._numbers.get(folder)
        if known is None and len(self._numbers) >= FOLDERS_MAX:
            self.hears_all = False
            return
        path = os.path.join(root, to_bytes(folder.path))
        # Asked each time, whatever was told: it is the same number for the same folder.
        number = self._c.inotify_add_watch(
            self._fd, path, _HEEDED | _ONLY_FOLDERS | _NO_LINKS
        )
        if number < 0:
            if ctypes.get_errno() not in _NOT_THERE:
                self.hears_all = False
        elif number != known:
            self._know(number, folder)
            if is_far(path):
                # Something is mounted there.
                self.hears_all = False

    def wait(self, seconds: float) -> bool:
        """See `seams.Bell`."""
        return bool(self._told.select(max(seconds, 0.0))) and self._rang()

    def close(self) -> None:
        """Heed nothing any more."""
        self._told.close()
        os.close(self._fd)

    def _rang(self) -> bool:
        rang = False
        while True:
            try:
                told = os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                return rang
            start = 0
            while start < len(told):
                number, what, _, length = _HEAD.unpack_from(told, start)
                start += _HEAD.size + length
                name = told[start - length : start]
                rang = self._is_news(number, what, name) or rang

    def _is_news(self, number: int, what: int, name: bytes) -> bool:
        if number == _OVERFLOWN:
            return True
        folder = self._folders.get(number)
        if what & _IGNORED:
            self._forget(number)
        elif folder is not None and what & _MOVE_SELF:
            # What it holds went with it; the pass that follows heeds where they are.
            for below in [each for each in self._numbers if _is_in(each, folder)]:
                self._drop(below)
        return bool(what & _HEEDED) and not name.startswith(_OURS)

    def _know(self, number: int, folder: Place) -> None:
        if folder in self._numbers:
            # Another folder was there before.
            self._drop(folder)
        # It may be known by a path that it had before.
        self._forget(number)
        self._folders[number] = folder
        self._numbers[folder] = number

    def _drop(self, folder: Place) -> None:
        number = self._numbers[folder]
        self._c.inotify_rm_watch(self._fd, number)
        self._forget(number)

    def _forget(self, number: int) -> None:
        folder = self._folders.pop(number, None)
        if folder is not None:
            del self._numbers[folder]


def _is_ours(path: str) -> bool:
    return path.split("/", 1)[0] == ".paxect"


def _is_in(place: Place, folder: Place) -> bool:
    return place.root is folder.root and (
        not folder.path or f"{place.path}/".startswith(f"{folder.path}/")
    )
