"""A node's view of the simulated disk: `seams.Share`, one step for each system call."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TypeVar

import msgspec
from calls import Calls
from disk import File, Folder, error
from sim_file import SimFile
from sim_hands import act_on_each

from paxect_batch.model.items import Entry, Facts, Identity, Kind, Removal
from paxect_batch.model.places import Place, Root
from paxect_batch.world.folders import Folders
from paxect_batch.world.hands import HANDS_MAX
from paxect_batch.world.syncing import Syncing, met, one_by_one

T = TypeVar("T")

ROOTS = {
    Root.INBOX: "inbox",
    Root.OUTBOX: "outbox",
    Root.WIRE: "wire",
    Root.STATE: ".paxect",
}


class FolderSteps:
    """What folders use of `tree.Tree`, in steps."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def stat(self, place: Place) -> os.stat_result:
        node = self._calls.find(path_of(place))
        if node is None:
            raise error(errno.ENOENT, path_of(place))
        mode = stat.S_IFDIR if isinstance(node, Folder) else stat.S_IFREG
        return os.stat_result((mode, *[0] * 9))

    def make(self, folder: Place) -> None:
        self._calls.make(path_of(folder))

    def remove_folder(self, folder: Place) -> None:
        self._calls.remove_folder(path_of(folder))

    def open_folder(self, folder: Place) -> int:
        raise error(errno.ENOTSUP, path_of(folder))

    def sync_folder(self, folder: Place) -> None:
        self._calls.sync_folder(path_of(folder))


class SimShare:
    """See `seams.Share`. Each operation takes the calls that the real one takes."""

    lists_late = True

    def __init__(self, calls: Calls, *, hands: int = 1, ahead: int = 1) -> None:
        self._calls = calls
        self._folders = Folders(FolderSteps(calls))
        self._hands = hands
        self.ahead = min(4 * hands, HANDS_MAX) if hands > 1 else ahead

    def entries(self, folder: Place) -> Iterator[Entry]:
        try:
            names = self._calls.listing(path_of(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for name, is_folder in names:
            yield Entry(folder.child(name), Kind.FOLDER if is_folder else Kind.FILE)

    def freshen(self, folder: Place) -> None:
        probe = path_of(folder.child(self._temp_name()))
        try:
            self._calls.create(probe)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            with contextlib.suppress(OSError):
                self._remove(probe)
            raise
        self._remove(probe)

    def size_of(self, place: Place) -> int:
        node = self._calls.find(path_of(place), "stat")
        return len(node.content) if isinstance(node, File) else 0

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        path = path_of(place)
        if closely and self._calls.seems_absent(path):
            return None
        node = self._calls.find(path)
        return None if node is None else self._facts(node, closely=closely)

    def open_source(self, place: Place) -> IO[bytes]:
        path = path_of(place)
        node = self._calls.find(path, "open")
        if node is None:
            raise error(errno.ENOENT, path)
        if isinstance(node, Folder):
            raise error(errno.EISDIR, path)
        return SimFile(self._calls, path, node, writes=False)

    def facts_of(self, stream: IO[bytes]) -> Facts:
        file = _own(stream)
        self._calls.enter("fstat", file.path)
        return self._facts(file.node)

    def create(self, place: Place) -> IO[bytes]:
        path = path_of(place)
        try:
            node = self._calls.create(path)
        except FileNotFoundError:
            self.make_folder(place.folder)
            node = self._calls.create(path)
        return SimFile(self._calls, path, node, writes=True)

    def sync(self, stream: IO[bytes]) -> None:
        file = _own(stream)
        self._calls.sync(file.path, file.node)

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        return tuple(met(self.sync, stream) for stream in streams)

    def sync_folder(self, folder: Place) -> None:
        self._folders.sync(folder)

    def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
        # One by one, by way of what mutations forget.
        return tuple(met(self.sync_folder, folder) for folder in folders)

    def prepare_folders(self, folders: Sequence[Place]) -> None:
        self._folders.prepare(folders, Syncing())

    def each(
        self, act: Callable[[T], object], items: Sequence[T], *, removing: bool = False
    ) -> None:
        if self._hands == 1 or len(items) < 2:
            one_by_one(act, items)
        else:
            calls = self._calls
            act_on_each(calls.turns, calls.process, act, items, hands=self._hands)

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        path = path_of(place)
        node = self._calls.find(path, "read")
        if node is None:
            return None
        if isinstance(node, Folder):
            raise error(errno.EISDIR, path)
        if len(node.content) > bytes_max:
            raise error(errno.EFBIG, path)
        return node.content

    def write(self, place: Place, data: bytes) -> None:
        part = place.beside(self._temp_name())
        stream = self.create(part)
        try:
            with stream:
                stream.write(data)
                self.sync(stream)
            self._calls.rename(path_of(part), path_of(place), replaces=True)
        except BaseException:
            with contextlib.suppress(OSError):
                self._remove(path_of(part))
            raise
        self.sync_folder(place.folder)

    def rename_new(self, source: Place, target: Place) -> None:
        old, new = path_of(source), path_of(target)
        if self._calls.mount.refuses_to_replace:
            self._calls.rename(old, new, replaces=False)
            return
        if self._calls.find(new) is not None:
            raise error(errno.EEXIST, new)
        self._calls.rename(old, new, replaces=True)

    def move_new(self, source: Place, target: Place) -> None:
        old, new = path_of(source), path_of(target)
        if self._calls.mount.refuses_to_replace:
            self._calls.rename(old, new, replaces=False)
            return
        self._calls.link(old, new)
        self._remove(old)

    def remove(self, place: Place) -> bool:
        return self._remove(path_of(place))

    def removal(self, folder: Place) -> Removal:
        return Removal.ANY

    def remove_folder(self, folder: Place) -> bool:
        return self._folders.remove(folder)

    def make_folder(self, folder: Place) -> None:
        self._folders.make(folder)

    def dress(
        self, stream: IO[bytes], *, mtime_ns: int | None, mode: int | None
    ) -> None:
        file = _own(stream)
        if mode is not None:
            file.node.mode = mode
        if mtime_ns is not None:
            file.node.mtime_ns = mtime_ns

    def now(self) -> float:
        self._calls.enter("now", "")
        return self._calls.disk.time

    def free_bytes(self, root: Root) -> int:
        return 1 << 40

    def together(self, one: Root, other: Root) -> bool:
        return self._calls.mount.together(ROOTS[one], ROOTS[other])

    def folds_names(self, root: Root) -> bool:
        return False

    def _remove(self, path: str) -> bool:
        try:
            self._calls.remove(path)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.ENOTDIR):
                return False
            raise
        return True

    def _facts(self, node: File | Folder, *, closely: bool = False) -> Facts:
        if isinstance(node, Folder):
            return Facts(Kind.FOLDER, Identity(0, 0, node.inode), 0o755)
        facts = Facts(
            kind=Kind.FILE,
            identity=Identity(len(node.content), node.mtime_ns, node.inode),
            mode=node.mode,
            ctime_ns=node.ctime_ns,
        )
        if not closely or self._calls.mount.listing_seconds:
            return facts
        return msgspec.structs.replace(facts, writer=node.writers > 0)

    def _temp_name(self) -> str:
        disk = self._calls.disk
        disk.tokens += 1
        return f".paxect-{self._calls.process.name}-{disk.tokens}.tmp"


def path_of(place: Place) -> str:
    """Return where a place is on the disk."""
    root = ROOTS[place.root]
    return f"{root}/{place.path}" if place.path else root


def _own(stream: IO[bytes]) -> SimFile:
    assert isinstance(stream, SimFile)
    return stream
