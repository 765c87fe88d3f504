"""A share on folders of this machine, mounted or local; see `seams.Share`.

Nothing outside the roots is ever reached (see `tree`). The roots themselves are never
made: a share that is not mounted must not come up as an empty one. What is written for
a moment bears the name `.paxect-HEX.tmp`; a crash can leave such a file behind, which
is nobody's data.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TypeVar

from paxect_batch.model.about import About
from paxect_batch.model.items import Entry, Facts, Identity, Kind, Removal
from paxect_batch.model.numbers import INT64_MIN, UINT64_MAX
from paxect_batch.model.places import Place, Root, to_text
from paxect_batch.world import root_traits
from paxect_batch.world.file_systems import is_far, is_smb
from paxect_batch.world.folders import Folders
from paxect_batch.world.hands import HANDS, HANDS_MAX, Hands
from paxect_batch.world.kinds import kind_of, kind_of_entry
from paxect_batch.world.removals import is_own
from paxect_batch.world.syncing import Syncing, sync_file
from paxect_batch.world.tree import CREATE, READ, Tree, parts_of, temp_name
from paxect_batch.world.wholes import read_whole, write_whole
from paxect_batch.world.writers import has_writer

NOW_AGE_SECONDS_MAX = 5.0
"""How long the difference between the share's clock and ours is believed."""
PERMISSION_BITS = 0o777
"""Neither set-user-id nor sticky bits travel."""

# Windows knows inodes of 128 bits; papers hold 64.
_INODE_BITS = 2**64 - 1
# No file has a name that is longer than names may be.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_REPLACE_TRIES_MAX = 6
_REPLACE_WAIT_SECONDS = 0.01
_AHEAD_FAR = HANDS_MAX
_AHEAD_NEAR = 16
# Where a disk is told of each block that is free, removing waits for it.
_SLOW_REMOVAL_SECONDS = 0.0001
_REMOVALS_JUDGED = 32
_REMOVERS = 4
T = TypeVar("T")


class LocalShare:
    """See `seams.Share`. Made anew in each process from the same plain paths."""

    def __init__(
        self,
        roots: Mapping[Root, str | bytes],
        *,
        tree: Tree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        heed: Callable[[Place], None] | None = None,
        hands: Callable[[], int] = lambda: HANDS,
    ) -> None:
        """`heed` is told of each folder before it is listed.

        So many `hands` wait for a server at once, as it is now.
        """
        self.roots = {root: os.fsencode(path) for root, path in roots.items()}
        self._tree = _open_tree(self.roots) if tree is None else tree
        self._folders = Folders(self._tree)
        self._syncing = Syncing()
        self._hands = Hands()
        self._hands_now = hands
        self._removal_seconds = 0.0
        """How long a removal took, in the mean of late."""
        self._is_far = any(map(is_far, self.roots.values()))
        self._monotonic = monotonic
        self._heed = heed
        self._now_offset = 0.0
        self._now_measured: float | None = None
        self._folds: dict[Root, bool] = {}
        self._together: dict[tuple[Root, Root], bool] = {}

    def __reduce__(self) -> tuple[type[LocalShare], tuple[dict[Root, bytes]]]:
        return LocalShare, (self.roots,)

    def entries(self, folder: Place) -> Iterator[Entry]:
        """See `seams.Share`. `OSError` ELOOP if the folder is reached by a link."""
        if self._heed is not None:
            self._heed(folder)
        try:
            for found in self._tree.scan(folder):
                name = to_text(os.fsencode(found.name))
                yield Entry(folder.child(name), kind_of_entry(found))
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise

    def freshen(self, folder: Place) -> None:
        """See `seams.Share`. Nothing to do if the folder is not there."""
        # An NFS client forgets what it knew of a folder when it changes it itself.
        probe = folder.child(temp_name())
        try:
            os.close(self._tree.open(probe, CREATE))
        except OSError as error:
            if error.errno in _NOT_THERE:
                return
            # Only the answer may be lost, and nobody sweeps an outbox.
            with contextlib.suppress(OSError):
                self.remove(probe)
            raise
        self.remove(probe)

    def size_of(self, place: Place) -> int:
        """See `seams.Share`."""
        try:
            return self._tree.stat(place).st_size
        except PermissionError:
            return 0
        except OSError as error:
            if error.errno in _NOT_THERE:
                return 0
            raise

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        """See `seams.Share`. `OSError` ELOOP if a folder on the way is a link."""
        try:
            if not closely:
                return _facts(self._tree.look(place))
            found = self._tree.stat(place)
            if not stat.S_ISREG(found.st_mode):
                return _facts(found)
            fd = self._tree.open(place, READ)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        try:
            found = os.fstat(fd)
            return _facts(
                found,
                # A Samba server lets times stand still while a file is open, however
                # much is written to it.
                stand_still=is_smb(fd, found.st_dev),
                writer=(
                    has_writer(fd, found.st_dev)
                    if stat.S_ISREG(found.st_mode)
                    else None
                ),
            )
        finally:
            os.close(fd)

    def open_source(self, place: Place) -> IO[bytes]:
        """See `seams.Share`. `OSError` EINVAL, or EISDIR, if it is no regular file."""
        fd = self._tree.open(place, READ)
        try:
            kind = kind_of(os.fstat(fd).st_mode)
            if kind is Kind.FOLDER:
                raise IsADirectoryError(
                    errno.EISDIR, os.strerror(errno.EISDIR), str(place)
                )
            if kind is not Kind.FILE:
                raise OSError(errno.EINVAL, "not a regular file", str(place))
            return os.fdopen(fd, "rb", buffering=0)
        except BaseException:
            os.close(fd)
            raise

    def facts_of(self, stream: IO[bytes]) -> Facts:
        """See `seams.Share`."""
        return _facts(os.fstat(stream.fileno()))

    def create(self, place: Place) -> IO[bytes]:
        """See `seams.Share`. The folder is made durably."""
        try:
            fd = self._tree.open(place, CREATE)
        except FileNotFoundError:
            self.make_folder(place.folder)
            fd = self._tree.open(place, CREATE)
        return os.fdopen(fd, "wb", buffering=0)

    def sync(self, stream: IO[bytes]) -> None:
        """See `seams.Share`."""
        sync_file(stream.fileno())

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        """See `seams.Share`. With one wait for all of them, where that can be."""
        fds = [stream.fileno() for stream in streams]
        return self._syncing.sync_all(fds, self.each)

    def sync_folder(self, folder: Place) -> None:
        """See `seams.Share`. Does nothing where the system has no such call."""
        self._folders.sync(folder)

    def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
        """See `seams.Share`. With one wait for all of them, where that can be."""
        return self._folders.sync_all(folders, self._syncing, self.each)

    def prepare_folders(self, folders: Sequence[Place]) -> None:
        """See `seams.Share`."""
        self._folders.prepare(folders, self._syncing, self.each)

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        """See `seams.Share`. `OSError` EFBIG if it is larger."""
        try:
            stream = self.open_source(place)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        with About(place), stream:
            return read_whole(stream, bytes_max, place)

    def write(self, place: Place, data: bytes) -> None:
        """See `seams.Share`. The folder is made; whatever fails leaves the old file."""
        parts_of(place)
        part = place.beside(temp_name())
        stream = self.create(part)
        try:
            with About(place), stream:
                write_whole(stream, data)
                self.sync(stream)
            self._replace(part, place)
        except BaseException:
            self._drop(part)
            raise
        self.sync_folder(place.folder)

    def _replace(self, part: Place, place: Place) -> None:
        # SMB answers EACCES while some node reads what is to be replaced, which they
        # all do in a moment only.
        wait = _REPLACE_WAIT_SECONDS
        for _ in range(_REPLACE_TRIES_MAX - 1):
            try:
                self._tree.replace(part, place)
            except PermissionError:
                time.sleep(wait)
                wait *= 2
            else:
                return
        self._tree.replace(part, place)

    def _drop(self, place: Place) -> None:
        try:
            self._tree.remove(place)
        except OSError:
            return

    def rename_new(self, source: Place, target: Place) -> None:
        """See `seams.Share`. Between two file systems it is `OSError` EXDEV."""
        try:
            self._tree.rename_new(source, target)
        except OSError as error:
            if error.errno == errno.EXDEV:
                # Something was mounted there since that was tried.
                self._together.clear()
            raise

    def move_new(self, source: Place, target: Place) -> None:
        """See `seams.Share`. Between two file systems it is `OSError` EXDEV."""
        self._tree.move_new(source, target)

    def remove(self, place: Place) -> bool:
        """See `seams.Share`."""
        began = self._monotonic()
        try:
            self._tree.remove(place)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return False
            raise
        taken = self._monotonic() - began
        self._removal_seconds += (taken - self._removal_seconds) / _REMOVALS_JUDGED
        return True

    def removal(self, folder: Place) -> Removal:
        """See `seams.Share`. Where the system says no, it is tried."""
        try:
            found = self._tree.removal(folder)
            if found is Removal.NONE:
                self.freshen(folder)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and folder.path:
                return Removal.NONE
            if error.errno not in (*_NOT_THERE, errno.ELOOP):
                raise
            return Removal.ANY
        # A server may know its users by other numbers than its clients.
        is_told = found is Removal.OWN and not self._is_far
        return Removal.OWN if is_told else Removal.ANY

    def remove_folder(self, folder: Place) -> bool:
        """See `seams.Share`."""
        return self._folders.remove(folder)

    def make_folder(self, folder: Place) -> None:
        """See `seams.Share`. A root that is not there is not made: ENOENT."""
        self._folders.make(folder)

    def dress(
        self, stream: IO[bytes], *, mtime_ns: int | None, mode: int | None
    ) -> None:
        """See `seams.Share`. Permission bits only; where there are none, times only."""
        if mode is not None and sys.platform != "win32":
            os.fchmod(stream.fileno(), mode & PERMISSION_BITS)
        if mtime_ns is not None:
            self._tree.dress(stream.fileno(), str(stream.name), (mtime_ns, mtime_ns))

    @property
    def ahead(self) -> int:
        """See `seams.Share`."""
        return _AHEAD_FAR if self._is_far else _AHEAD_NEAR

    @property
    def lists_late(self) -> bool:
        """See `seams.Share`."""
        return self._is_far

    def each(
        self, act: Callable[[T], object], items: Sequence[T], *, removing: bool = False
    ) -> None:
        """See `seams.Share`."""
        if self._is_far and len(items) > 1:
            self._hands.each(act, items, at_once=self._hands_now())
        elif removing and self._removal_seconds > _SLOW_REMOVAL_SECONDS:
            self._hands.each(act, items, at_once=_REMOVERS)
        else:
            for item in items:
                act(item)

    def now(self) -> float:
        """See `seams.Share`. Measured anew every few seconds."""
        measured = self._now_measured
        if measured is None or self._monotonic() - measured > NOW_AGE_SECONDS_MAX:
            probe = Place(Root.STATE, temp_name())
            # The file's maker gets its time from the server; writing to it would
            # bring in this machine's clock on SMB.
            fd = self._tree.open(probe, CREATE)
            try:
                measured = self._monotonic()
                changed = os.fstat(fd).st_mtime
            finally:
                os.close(fd)
                self.remove(probe)
            self._now_offset = changed - measured
            self._now_measured = measured
        return self._now_offset + self._monotonic()

    def free_bytes(self, root: Root) -> int:
        """See `seams.Share`."""
        return self._tree.free_bytes(root)

    def together(self, one: Root, other: Root) -> bool:
        """See `seams.Share`. Tried once with a file of its own."""
        pair = min(one, other), max(one, other)
        if pair not in self._together:
            self._together[pair] = root_traits.can_rename(self, self._tree, *pair)
        return self._together[pair]

    def folds_names(self, root: Root) -> bool:
        """See `seams.Share`. Tried once with a file of its own in the root."""
        if root not in self._folds:
            self._folds[root] = root_traits.folds_names(self, self._tree, root)
        return self._folds[root]


def _open_tree(roots: Mapping[Root, bytes]) -> Tree:
    if os.open in os.supports_dir_fd:
        from paxect_batch.world.tree_descriptors import DescriptorTree

        return DescriptorTree(roots)
    from paxect_batch.world.tree_paths import PathTree

    return PathTree(roots)


def _facts(
    found: os.stat_result, *, stand_still: bool = False, writer: bool | None = None
) -> Facts:
    # Windows keeps a time of creation there.
    told = sys.platform != "win32" and not stand_still
    return Facts(
        kind_of(found.st_mode),
        Identity(
            found.st_size,
            # Some file systems keep times that no paper can.
            min(max(found.st_mtime_ns, INT64_MIN), UINT64_MAX),
            found.st_ino & _INODE_BITS,
        ),
        stat.S_IMODE(found.st_mode),
        found.st_ctime_ns if told else None,
        writer,
        is_own(found),
    )
