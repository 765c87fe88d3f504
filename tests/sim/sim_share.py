"""A node's view of the simulated disk: `seams.Share`, one step for each system call."""

from __future__ import annotations

import contextlib
import errno
import io
from collections.abc import Iterator
from typing import IO

from disk import Disk, File, Folder, error
from turns import Process, Turns

from paxect_batch.model.items import Entry, Facts, Identity, Kind
from paxect_batch.model.places import Place, Root

ROOTS = {
    Root.INBOX: "inbox",
    Root.OUTBOX: "outbox",
    Root.WIRE: "wire",
    Root.STATE: ".paxect",
}
_LINGERS = frozenset(("create", "rename", "remove", "mkdir", "rmdir", "write"))


class Mount:
    """How the share is mounted: what may be stale, and what renames can do."""

    def __init__(
        self, *, listing_seconds: float = 0.0, refuses_to_replace: bool = True
    ) -> None:
        self.listing_seconds = listing_seconds
        """For how long a listing is remembered that the node itself did not change."""
        self.refuses_to_replace = refuses_to_replace
        """Whether a rename can be told not to; else it is a look and a rename."""


class Calls:
    """System calls of one process on the disk; each is a step that may go wrong."""

    def __init__(
        self, disk: Disk, turns: Turns, process: Process, mount: Mount
    ) -> None:
        self.disk = disk
        self.process = process
        self.mount = mount
        self._turns = turns

    def enter(self, name: str, path: str) -> int:
        """Take a step; return an error to raise after the operation, if any."""
        self._turns.step(name, path)
        process = self.process
        while process.cut_until > self._turns.time:
            if not process.hangs:
                raise error(errno.EIO, path)
            self._turns.sleep(process.cut_until - self._turns.time)
        if process.errors:
            number, happens = process.errors.pop()
            if not happens or name not in _LINGERS:
                raise error(number, path)
            return number
        return 0

    def listing(
        self, path: str, *, fresh: bool = False
    ) -> tuple[tuple[str, bool], ...]:
        """Return names, and whether each is a folder's, as far as the node knows."""
        late = self.enter("list", path)
        assert not late
        folder = self.disk.folder(path)
        known = self.process.listings.get(folder.inode)
        if (
            not fresh
            and known is not None
            and self._turns.time - known[0] < self.mount.listing_seconds
        ):
            return known[1]
        names = tuple(
            (name, isinstance(node, Folder)) for name, node in folder.names.items()
        )
        self.process.listings[folder.inode] = self._turns.time, names
        return names

    def seems_absent(self, path: str) -> bool:
        """Tell whether the node remembers that there is no such name."""
        parent, _, name = path.rpartition("/")
        folder = self.disk.find(parent)
        known = self.process.listings.get(folder.inode) if folder is not None else None
        return (
            known is not None
            and self._turns.time - known[0] < self.mount.listing_seconds
            and all(each != name for each, _ in known[1])
        )

    def create(self, path: str) -> File:
        late = self.enter("create", path)
        self._forget(path)
        file = self.disk.create(path)
        _raise_if(late, path)
        return file

    def make(self, path: str) -> None:
        late = self.enter("mkdir", path)
        self._forget(path)
        self.disk.make(path)
        _raise_if(late, path)

    def remove(self, path: str) -> None:
        late = self.enter("remove", path)
        self._forget(path)
        self.disk.remove(path)
        _raise_if(late, path)

    def remove_folder(self, path: str) -> None:
        late = self.enter("rmdir", path)
        self._forget(path)
        self.disk.remove_folder(path)
        _raise_if(late, path)

    def rename(self, source: str, target: str, *, replaces: bool) -> None:
        late = self.enter("rename", f"{source} -> {target}")
        self._forget(source)
        self._forget(target)
        self.disk.rename(source, target, replaces=replaces)
        _raise_if(late, target)

    def link(self, source: str, target: str) -> None:
        self.enter("link", f"{source} -> {target}")
        self._forget(target)
        self.disk.link(source, target)

    def write(self, path: str, file: File, content: bytes) -> None:
        late = self.enter("write", path)
        self.disk.write(file, content)
        _raise_if(late, path)

    def sync(self, path: str, file: File) -> None:
        self.enter("fsync", path)
        self.disk.sync(file)

    def sync_folder(self, path: str) -> None:
        self.enter("fsync-folder", path)
        self.disk.sync_folder(self.disk.folder(path))

    def find(self, path: str, name: str = "look") -> File | Folder | None:
        self.enter(name, path)
        return self.disk.find(path)

    def _forget(self, path: str) -> None:
        if not self.process.listings:
            return
        folder = self.disk.find(path.rpartition("/")[0])
        if folder is not None:
            self.process.listings.pop(folder.inode, None)


def _raise_if(number: int, path: str) -> None:
    if number:
        raise error(number, path)


class SimShare:
    """See `seams.Share`. Each operation takes the calls that the real one takes."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._temps = 0

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
        self._remove(probe)

    def size_of(self, place: Place) -> int:
        node = self._calls.find(path_of(place), "stat")
        return len(node.content) if isinstance(node, File) else 0

    def look(self, place: Place, *, fresh: bool = True) -> Facts | None:
        path = path_of(place)
        if not fresh and self._calls.seems_absent(path):
            return None
        node = self._calls.find(path)
        return None if node is None else self._facts(node)

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

    def sync_folder(self, folder: Place) -> None:
        self._calls.sync_folder(path_of(folder))

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

    def remove(self, place: Place) -> bool:
        return self._remove(path_of(place))

    def remove_folder(self, folder: Place) -> bool:
        try:
            self._calls.remove_folder(path_of(folder))
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY):
                return False
            raise
        return True

    def make_folder(self, folder: Place) -> None:
        if not folder.path:
            return
        try:
            self._make_one(folder)
        except FileNotFoundError:
            self.make_folder(folder.folder)
            self._make_one(folder)

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
        return True

    def folds_names(self, root: Root) -> bool:
        return False

    def _make_one(self, folder: Place) -> None:
        path = path_of(folder)
        try:
            self._calls.make(path)
        except FileExistsError:
            if not isinstance(self._calls.find(path), Folder):
                raise
        else:
            self.sync_folder(folder.folder)

    def _remove(self, path: str) -> bool:
        try:
            self._calls.remove(path)
        except OSError as problem:
            if problem.errno in (errno.ENOENT, errno.ENOTDIR):
                return False
            raise
        return True

    def _facts(self, node: File | Folder) -> Facts:
        if isinstance(node, Folder):
            return Facts(Kind.FOLDER, Identity(0, 0, node.inode), 0o755, 0)
        return Facts(
            kind=Kind.FILE,
            identity=Identity(len(node.content), node.mtime_ns, node.inode),
            mode=node.mode,
            ctime_ns=node.ctime_ns,
            writer=None if self._calls.mount.listing_seconds else node.writers > 0,
        )

    def _temp_name(self) -> str:
        self._temps += 1
        return f".paxect-{self._calls.process.name}-{self._temps}.tmp"


class SimFile(io.RawIOBase):
    """An open file."""

    def __init__(self, calls: Calls, path: str, node: File, *, writes: bool) -> None:
        super().__init__()
        self.path = path
        self.node = node
        self.name = path
        self._calls = calls
        self._writes = writes
        self._position = 0
        node.writers += writes

    def readable(self) -> bool:
        return not self._writes

    def writable(self) -> bool:
        return self._writes

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._calls.enter("read", self.path)
        piece = self.node.content[self._position : self._position + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        piece = bytes(data)
        before = self.node.content
        end = self._position + len(piece)
        content = before[: self._position].ljust(self._position, b"\0") + piece
        self._calls.write(self.path, self.node, content + before[end:])
        self._position = end
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = (0, self._position, len(self.node.content))[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        content = self.node.content[:size].ljust(size, b"\0")
        self._calls.write(self.path, self.node, content)
        return size

    def close(self) -> None:
        if not self.closed and self._writes:
            self.node.writers = max(self.node.writers - 1, 0)
        super().close()


def path_of(place: Place) -> str:
    """Return where a place is on the disk."""
    root = ROOTS[place.root]
    return f"{root}/{place.path}" if place.path else root


def _own(stream: IO[bytes]) -> SimFile:
    assert isinstance(stream, SimFile)
    return stream
