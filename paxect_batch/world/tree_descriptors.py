"""A tree held by descriptors of its folders, as POSIX systems have them.

A path is walked part by part from its root, each folder opened relative to the one
above and never through a link. What a walk arrives at is a folder, not a name: swap the
name for a link one instant later, and the call still acts on the folder.

The newest folders stay open. Each name on the way to one is looked at again, and must
still be that folder, once in `TRUST_SECONDS` and whenever a name is not found there: a
folder that was moved or swapped meanwhile may be acted upon for so long, as if the call
had come before; what lies behind a link never is.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import stat
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from paxect_batch.model.items import Removal
from paxect_batch.model.places import Place, Root, to_text
from paxect_batch.world.delegations import way_to_open
from paxect_batch.world.file_systems import is_local
from paxect_batch.world.looks import see, way_to_look
from paxect_batch.world.removals import removal
from paxect_batch.world.renames import move_new, rename_new
from paxect_batch.world.stale import Walk, never_stale, until_stale
from paxect_batch.world.syncing import sync_around
from paxect_batch.world.tree import (
    CREATE,
    LIST,
    NO_LINK,
    linked,
    name_of,
    parts_of,
    temp_name,
)

FOLDERS_OPEN_MAX = 64
TRUST_SECONDS = 0.25
"""How long a folder counts as being where it was found, unless a name is missing."""

# O_PATH asks for the folder only, so that one may be passed through, or written to,
# that may not be listed; and on NFS it spares a round trip.
_WALK = (
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_ROOT = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)

# A share without a sync of folders has nothing to be told by failing.
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP)


class _Folder:
    """An open folder; closed when neither the cache nor a caller holds it any more."""

    __slots__ = ("fd", "identity", "look", "open", "trusted_until")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        found = os.fstat(fd)
        self.identity = (found.st_dev, found.st_ino)
        self.look = way_to_look(fd)
        self.open = way_to_open(fd)
        self.trusted_until = -math.inf

    def __del__(self) -> None:
        os.close(self.fd)


_Listing = contextlib.AbstractContextManager[Iterator[os.DirEntry[str]]]


class DescriptorTree:
    """See `Tree`. Threads may use one tree together."""

    def __init__(
        self, roots: Mapping[Root, bytes], *, trust_seconds: float = TRUST_SECONDS
    ) -> None:
        self._roots = {root: os.path.abspath(path) for root, path in roots.items()}
        self._open: OrderedDict[tuple[Root, str], _Folder] = OrderedDict()
        self._lock = threading.Lock()
        self._trust_seconds = trust_seconds
        self.thread = Walk()

    @never_stale
    def open(self, place: Place, flags: int) -> int:
        """See `Tree`."""
        folder, name = self._at(place)
        return folder.open(name, flags | NO_LINK, 0o666, dir_fd=folder.fd)

    @never_stale
    def stat(self, place: Place) -> os.stat_result:
        """See `Tree`."""
        folder, name = self._at(place)
        return os.stat(name, dir_fd=folder.fd, follow_symlinks=False)

    @never_stale
    def look(self, place: Place) -> os.stat_result:
        """See `Tree`."""
        folder, name = self._at(place)
        return folder.look(folder.fd, name)

    def scan(self, folder: Place) -> Iterator[os.DirEntry[str]]:
        """See `Tree`."""
        fd, listing = self._listing(folder)
        try:
            with listing as found:
                # Removed while it is listed: then there is nothing more in it.
                yield from until_stale(found, folder)
        finally:
            os.close(fd)

    @never_stale
    def _listing(self, folder: Place) -> tuple[int, _Listing]:
        fd = self.open_folder(folder)
        try:
            return fd, os.scandir(fd)
        except BaseException:
            os.close(fd)
            raise

    @never_stale
    def make(self, folder: Place) -> None:
        """See `Tree`."""
        above, name = self._at(folder)
        os.mkdir(name, dir_fd=above.fd)

    @never_stale
    def remove(self, place: Place) -> None:
        """See `Tree`."""
        folder, name = self._at(place)
        os.unlink(name, dir_fd=folder.fd)

    @never_stale
    def remove_folder(self, folder: Place) -> None:
        """See `Tree`."""
        above, name = self._at(folder)
        os.rmdir(name, dir_fd=above.fd)

    @never_stale
    def replace(self, source: Place, target: Place) -> None:
        """See `Tree`."""
        old, old_name = self._at(source)
        new, new_name = self._at(target)
        os.replace(old_name, new_name, src_dir_fd=old.fd, dst_dir_fd=new.fd)

    @never_stale
    def rename_new(self, source: Place, target: Place) -> None:
        """See `Tree`."""
        old, old_name = self._at(source)
        new, new_name = self._at(target)
        rename_new(old.fd, old_name, new.fd, new_name)

    @never_stale
    def move_new(self, source: Place, target: Place) -> None:
        """See `Tree`."""
        old, old_name = self._at(source)
        new, new_name = self._at(target)
        if is_local(new.fd):
            rename_new(old.fd, old_name, new.fd, new_name)
        else:
            move_new(old.fd, old_name, new.fd, new_name)

    @never_stale
    def sync_folder(self, folder: Place) -> None:
        """See `Tree`."""
        try:
            fd = self.open_folder(folder)
        except PermissionError:
            self._sync_unlisted(folder)
            return
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise
        finally:
            os.close(fd)

    def _sync_unlisted(self, folder: Place) -> None:
        """Make durable what is in a folder that may be written to, but not listed."""
        probe = folder.child(temp_name())
        fd = self.open(probe, CREATE)
        try:
            sync_around(fd)
        finally:
            os.close(fd)
            self.remove(probe)

    @never_stale
    def removal(self, folder: Place) -> Removal:
        """See `Tree`."""
        # Held until it was asked: another thread may drop it from what is kept open.
        held = self._folder(folder, folder.path)
        return removal(held.fd)

    def free_bytes(self, root: Root) -> int:
        """See `Tree`."""
        if sys.platform == "win32":
            raise AssertionError("it has `tree_paths`")
        path = self._roots[root]
        try:
            found = os.statvfs(path)
        except OSError as error:
            error.filename = to_text(path)
            raise
        return found.f_bavail * found.f_frsize

    def dress(self, stream_fd: int, place: str, times_ns: tuple[int, int]) -> None:
        """See `Tree`."""
        del place
        os.utime(stream_fd, ns=times_ns)

    def is_stale(self) -> bool:
        """Tell whether a root itself is gone from its server."""
        try:
            for path in self._roots.values():
                os.stat(path)
        except OSError as error:
            return error.errno == errno.ESTALE
        return False

    @contextlib.contextmanager
    def seeing(self) -> Iterator[None]:
        """Ask the server for every name on the way, in this thread."""
        with self._lock:
            dropped, self._open = self._open, OrderedDict()
        dropped.clear()
        self.thread.sees = True
        try:
            yield
        finally:
            self.thread.sees = False

    def _at(self, place: Place) -> tuple[_Folder, bytes]:
        """Return the folder of a place, open, and the name in it."""
        if not place.path:
            return self._folder(place, ""), b"."
        path, _, name = place.path.rpartition("/")
        return self._folder(place, path), name_of(place, name)

    def _folder(self, place: Place, path: str) -> _Folder:
        """Return a folder on the way to a place, or the place itself, open."""
        held = self._open.get((place.root, path))
        began = time.monotonic()
        this = self.thread
        if held is None or began >= held.trusted_until or not this.trusts or this.sees:
            held = self._walk(place, path)
            held.trusted_until = began + self._trust_seconds
        else:
            this.has_trusted = True
        return held

    @never_stale
    def open_folder(self, folder: Place) -> int:
        """See `Tree`."""
        # A descriptor of its own: two listings would share its position, and those
        # that are kept open can do neither this nor a sync.
        held = self._folder(folder, folder.path)
        return os.open(b".", LIST, dir_fd=held.fd)

    def _walk(self, place: Place, path: str) -> _Folder:
        """Look at each name on the way; what is found there is not trusted yet."""
        names = parts_of(place)
        folder = self._root(place.root)
        end = -1
        for number in range(path.count("/") + 1 if path else 0):
            end = path.find("/", end + 1)
            key = place.root, path if end < 0 else path[:end]
            folder = self._child(place, folder, key, names[number])
        return folder

    def _root(self, root: Root) -> _Folder:
        # By its path each time: what is mounted there may have changed.
        path = self._roots[root]
        held = self._cached((root, ""))
        try:
            if held is not None:
                found = os.stat(path)
                if (found.st_dev, found.st_ino) == held.identity:
                    return held
            fd = os.open(path, _ROOT)
        except OSError as error:
            # It is not the place that was asked for which is in trouble.
            error.filename = to_text(path)
            raise
        return self._keep((root, ""), _Folder(fd))

    def _child(
        self, place: Place, above: _Folder, key: tuple[Root, str], name: bytes
    ) -> _Folder:
        if self.thread.sees:
            see(above.fd)
        held = self._cached(key)
        if held is not None:
            found = os.stat(name, dir_fd=above.fd, follow_symlinks=False)
            if (found.st_dev, found.st_ino) == held.identity:
                return held
        try:
            fd = os.open(name, _WALK, dir_fd=above.fd)
        except NotADirectoryError:
            # Linux says so of a link as well, when asked for a folder.
            found = os.stat(name, dir_fd=above.fd, follow_symlinks=False)
            # A folder by now: it was swapped, which is not to pass for "not there".
            if stat.S_ISLNK(found.st_mode) or stat.S_ISDIR(found.st_mode):
                raise linked(place) from None
            raise
        return self._keep(key, _Folder(fd))

    def _cached(self, key: tuple[Root, str]) -> _Folder | None:
        with self._lock:
            held = self._open.get(key)
            if held is not None:
                self._open.move_to_end(key)
            return held

    def _keep(self, key: tuple[Root, str], folder: _Folder) -> _Folder:
        dropped = []  # closed after the lock is free
        with self._lock:
            dropped.append(self._open.pop(key, None))
            self._open[key] = folder
            while len(self._open) > FOLDERS_OPEN_MAX:
                dropped.append(self._open.popitem(last=False)[1])
        return folder
