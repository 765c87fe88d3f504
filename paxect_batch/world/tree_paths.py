"""A tree reached by paths, for systems whose file calls take nothing else: Windows.

Each part of a path is looked at before the path is used, and must be no link and no
junction. Between the look and the use a name can be swapped; whoever can do that could
do it on the server as well. Sharing violations, such as a virus scanner causes, are
waited out for a moment.
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from paxect_batch.model.items import Removal
from paxect_batch.model.places import Place, Root
from paxect_batch.world.tree import READ, linked, parts_of, tell_places

SHARING_TRIES_MAX = 6
SHARING_WAIT_SECONDS = 0.01
"""Doubled after each try: a third of a second in all."""

# ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
_SHARING_ERRORS = (5, 32, 33)
# IO_REPARSE_TAG_SYMLINK, IO_REPARSE_TAG_MOUNT_POINT. Others stand for the file itself,
# as those of deduplicated files do.
_LINK_TAGS = (0xA000000C, 0xA0000003)

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _placed(
    method: Callable[Concatenate[PathTree, _P], _T],
) -> Callable[Concatenate[PathTree, _P], _T]:
    """Let what a method raises tell of places, as `tree_descriptors` does."""

    @functools.wraps(method)
    def call(self: PathTree, /, *args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return method(self, *args, **named)
        except OSError as error:
            tell_places(error, args)
            raise

    return call


class PathTree:
    """See `Tree`."""

    def __init__(self, roots: Mapping[Root, bytes]) -> None:
        self._roots = {
            root: os.path.abspath(os.fsdecode(path)) for root, path in roots.items()
        }
        if os.name == "nt":
            self._roots = {
                root: literal_on_windows(path) for root, path in self._roots.items()
            }

    @_placed
    def open(self, place: Place, flags: int) -> int:
        """See `Tree`."""
        path = self._path(place)
        if not flags & os.O_EXCL and _is_link_at(path):
            raise linked(place)
        return _patiently(lambda: os.open(path, flags, 0o666))

    @_placed
    def stat(self, place: Place) -> os.stat_result:
        """See `Tree`."""
        return os.lstat(self._path(place))

    def look(self, place: Place) -> os.stat_result:
        """See `Tree`. A listing may be behind on Windows, an open file is not."""
        found = self.stat(place)
        if not stat.S_ISREG(found.st_mode):
            return found
        fd = self.open(place, READ)
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)

    def scan(self, folder: Place) -> Iterator[os.DirEntry[str]]:
        """See `Tree`."""
        try:
            path = self._path(folder)
            if folder.path and _is_link_at(path):
                raise linked(folder)
            with os.scandir(path) as found:
                yield from found
        except OSError as error:
            tell_places(error, (folder,))
            raise

    @_placed
    def make(self, folder: Place) -> None:
        """See `Tree`."""
        os.mkdir(self._path(folder))

    @_placed
    def remove(self, place: Place) -> None:
        """See `Tree`."""
        path = self._path(place)
        _patiently(lambda: os.unlink(path))

    @_placed
    def remove_folder(self, folder: Place) -> None:
        """See `Tree`."""
        os.rmdir(self._path(folder))

    @_placed
    def replace(self, source: Place, target: Place) -> None:
        """See `Tree`."""
        old, new = self._path(source), self._path(target)
        _patiently(lambda: os.replace(old, new))

    @_placed
    def rename_new(self, source: Place, target: Place) -> None:
        """See `Tree`."""
        old, new = self._path(source), self._path(target)
        # Windows never replaces here; elsewhere this is a look and a rename.
        if os.name != "nt" and os.path.lexists(new):
            raise FileExistsError(17, os.strerror(17), str(target))
        _patiently(lambda: os.rename(old, new))

    def move_new(self, source: Place, target: Place) -> None:
        """See `Tree`."""
        self.rename_new(source, target)

    def open_folder(self, folder: Place) -> int:
        """See `Tree`."""
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(folder))

    def sync_folder(self, folder: Place) -> None:
        """See `Tree`. Windows has no such call, and journals its renames."""
        if not stat.S_ISDIR(self.stat(folder).st_mode):
            raise NotADirectoryError(20, os.strerror(20), str(folder))

    def removal(self, folder: Place) -> Removal:
        """See `Tree`. Windows asks each file, and for what it shall be opened."""
        del folder
        return Removal.ANY

    def free_bytes(self, root: Root) -> int:
        """See `Tree`."""
        return shutil.disk_usage(self._roots[root]).free

    def dress(self, stream_fd: int, place: str, times_ns: tuple[int, int]) -> None:
        """See `Tree`."""
        os.utime(stream_fd if os.utime in os.supports_fd else place, ns=times_ns)

    def _path(self, place: Place) -> str:
        path = self._roots[place.root]
        parts = parts_of(place)
        for part in parts[:-1]:
            path = os.path.join(path, os.fsdecode(part))
            if _is_link_at(path):
                raise linked(place)
        return os.path.join(path, os.fsdecode(parts[-1])) if parts else path

    def path_of(self, place: Place) -> str:
        """Return the path of a place whose folders are no links."""
        return self._path(place)


def _is_link_at(path: str) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    tag = getattr(found, "st_reparse_tag", 0)
    return stat.S_ISLNK(found.st_mode) or tag in _LINK_TAGS


def _patiently(act: Callable[[], _T]) -> _T:
    wait = SHARING_WAIT_SECONDS
    for _ in range(SHARING_TRIES_MAX - 1):
        try:
            return act()
        except OSError as error:
            if getattr(error, "winerror", None) not in _SHARING_ERRORS:
                raise
        time.sleep(wait)
        wait *= 2
    return act()


def literal_on_windows(path: str) -> str:
    """Return the path so that Windows takes each name as it is, at any length."""
    if path.startswith("\\\\?\\"):
        return path
    if path.startswith("\\\\"):
        return "\\\\?\\UNC" + path[1:]
    return "\\\\?\\" + path
