"""A share in memory with the manners of a local file system, and faults on demand."""

from __future__ import annotations

import contextlib
import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TypeVar

from fakes.clock import FakeClock
from fakes.memory_file import FileNode, MemoryFile

from paxect_batch.model.items import Entry, Facts, Identity, Kind, Removal
from paxect_batch.model.places import Place, Root, to_bytes, to_text
from paxect_batch.world.syncing import met, one_by_one
from paxect_batch.world.tree import parts_of

NAME_BYTES_MAX = 255
T = TypeVar("T")


class FolderNode:
    """A folder: nodes by name."""

    kind = Kind.FOLDER

    def __init__(self, inode: int, now_ns: int) -> None:
        self.inode = inode
        self.names: dict[str, Node] = {}
        self.mode = 0o755
        self.mtime_ns = self.ctime_ns = now_ns


class OtherNode:
    """A link, or something that is neither file nor folder nor link."""

    def __init__(self, inode: int, now_ns: int, kind: Kind) -> None:
        self.inode = inode
        self.kind = kind
        self.mode = 0o777
        self.mtime_ns = self.ctime_ns = now_ns


Node = FileNode | FolderNode | OtherNode


class MemoryShare:
    """`seams.Share`.

    `before` is called before each operation, with its name and place, and may raise.
    Those on open files are `stream.read`, `stream.write`, `stream.truncate`, `sync`,
    `dress`, `facts_of`. `calls` counts them.
    """

    def __init__(self, *, before: Callable[[str, Place], None] | None = None) -> None:
        self.before = before
        self.calls: Counter[str] = Counter()
        self._clock = FakeClock()
        self._inodes = 0
        self._roots = {root: self._new_folder() for root in Root}

    # -- what tests set up and look at, without faults and counting

    def put(self, place: Place, data: bytes) -> None:
        """Lay a file there, as a producer would."""
        folder = self._folder(place.folder, make=True)
        node = self._new_file()
        node.content = bytearray(data)
        self._link(folder, place, node)

    def get(self, place: Place) -> bytes | None:
        """Return the content of a file, or None if there is no file."""
        node = self._find(place)
        return bytes(node.content) if isinstance(node, FileNode) else None

    def put_link(self, place: Place) -> None:
        """Lay a symbolic link there; where it leads is no matter."""
        self._put_other(place, Kind.LINK)

    def put_other(self, place: Place) -> None:
        """Lay a fifo there."""
        self._put_other(place, Kind.OTHER)

    def open_to_write(self, place: Place) -> IO[bytes]:
        """Open a file that is there, as a producer would."""
        node = self._find(place)
        assert isinstance(node, FileNode)
        return self._open(place, node, writes=True)

    # -- the seam

    def size_of(self, place: Place) -> int:
        node = self._find(place)
        return len(node.content) if isinstance(node, FileNode) else 0

    def entries(self, folder: Place) -> Iterator[Entry]:
        self._enter("entries", folder)
        try:
            names = self._folder(folder).names
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in list(names):
            if name in names:
                yield Entry(folder.child(name), names[name].kind)

    def freshen(self, folder: Place) -> None:
        self._enter("freshen", folder)

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        self._enter("look", place)
        node = self._find(place)
        return None if node is None else _facts(node, closely=closely)

    def open_source(self, place: Place) -> IO[bytes]:
        self._enter("open_source", place)
        node = self._find(place)
        if node is None:
            raise _error(errno.ENOENT, place)
        if isinstance(node, FolderNode):
            raise _error(errno.EISDIR, place)
        if node.kind is Kind.LINK:
            raise _error(errno.ELOOP, place)
        if not isinstance(node, FileNode):
            raise _error(errno.EINVAL, place)
        return self._open(place, node, writes=False)

    def facts_of(self, stream: IO[bytes]) -> Facts:
        file = _own(stream)
        self._enter("facts_of", file.place)
        return _facts(file.node)

    def create(self, place: Place) -> IO[bytes]:
        self._enter("create", place)
        if not place.path:
            raise _error(errno.EEXIST, place)
        folder = self._folder(place.folder, make=True)
        if place.name in folder.names:
            raise _error(errno.EEXIST, place)
        node = self._new_file()
        self._link(folder, place, node)
        return self._open(place, node, writes=True)

    def sync(self, stream: IO[bytes]) -> None:
        file = _own(stream)
        self._enter("sync", file.place)

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        return tuple(met(self.sync, stream) for stream in streams)

    def sync_folder(self, folder: Place) -> None:
        self._enter("sync_folder", folder)
        self._folder(folder)

    def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
        return tuple(met(self.sync_folder, folder) for folder in folders)

    def prepare_folders(self, folders: Sequence[Place]) -> None:
        for folder in folders:
            with contextlib.suppress(OSError):
                self.make_folder(folder)

    ahead = 1
    lists_late = True

    def each(
        self, act: Callable[[T], object], items: Sequence[T], *, removing: bool = False
    ) -> None:
        one_by_one(act, items)

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        self._enter("read", place)
        node = self._find(place)
        if node is None:
            return None
        if isinstance(node, FolderNode):
            raise _error(errno.EISDIR, place)
        if not isinstance(node, FileNode):
            raise _error(errno.ELOOP if node.kind is Kind.LINK else errno.EINVAL, place)
        if len(node.content) > bytes_max:
            raise _error(errno.EFBIG, place)
        return bytes(node.content)

    def write(self, place: Place, data: bytes) -> None:
        self._enter("write", place)
        folder = self._folder(place.folder, make=True)
        if isinstance(self._find(place), FolderNode):
            raise _error(errno.EISDIR, place)
        node = self._new_file()
        node.content = bytearray(data)
        self._link(folder, place, node)

    def rename_new(self, source: Place, target: Place) -> None:
        self._enter("rename_new", source)
        parts_of(target)
        node = self._find(source)
        if node is None:
            raise _error(errno.ENOENT, source)
        folder = self._folder(target.folder)
        if target.name in folder.names:
            raise _error(errno.EEXIST, target)
        self._unlink(source)
        self._link(folder, target, node)

    def move_new(self, source: Place, target: Place) -> None:
        self.rename_new(source, target)

    def remove(self, place: Place) -> bool:
        self._enter("remove", place)
        node = self._find(place)
        if node is None:
            return False
        if isinstance(node, FolderNode):
            raise _error(errno.EISDIR, place)
        self._unlink(place)
        return True

    def removal(self, folder: Place) -> Removal:
        self._enter("removal", folder)
        return Removal.ANY

    def remove_folder(self, folder: Place) -> bool:
        self._enter("remove_folder", folder)
        node = self._find(folder)
        if not isinstance(node, FolderNode) or node.names:
            return False
        self._unlink(folder)
        return True

    def make_folder(self, folder: Place) -> None:
        self._enter("make_folder", folder)
        if isinstance(self._find(folder), FileNode | OtherNode):
            raise _error(errno.EEXIST, folder)
        self._folder(folder, make=True)

    def dress(
        self, stream: IO[bytes], *, mtime_ns: int | None, mode: int | None
    ) -> None:
        file = _own(stream)
        self._enter("dress", file.place)
        if mode is not None:
            file.node.mode = mode & 0o777
        if mtime_ns is not None:
            file.node.mtime_ns = mtime_ns
        file.node.ctime_ns = self._now_ns()

    def now(self) -> float:
        self._enter("now", Place(Root.STATE, ""))
        return self._clock.now()

    def free_bytes(self, root: Root) -> int:
        self._enter("free_bytes", Place(root, ""))
        return 1 << 40

    def together(self, one: Root, other: Root) -> bool:
        self._enter("together", Place(one, ""))
        return True

    def folds_names(self, root: Root) -> bool:
        self._enter("folds_names", Place(root, ""))
        return False

    # -- within

    def _enter(self, operation: str, place: Place) -> None:
        self.calls[operation] += 1
        if self.before is not None:
            self.before(operation, place)
        parts_of(place)

    def _now_ns(self) -> int:
        return int(self._clock.now() * 1e9)

    def _next_inode(self) -> int:
        self._inodes += 1
        return self._inodes

    def _new_file(self) -> FileNode:
        return FileNode(self._next_inode(), self._now_ns())

    def _new_folder(self) -> FolderNode:
        return FolderNode(self._next_inode(), self._now_ns())

    def _open(self, place: Place, node: FileNode, *, writes: bool) -> MemoryFile:
        return MemoryFile(place, node, self._clock, self._enter, writes=writes)

    def _folder(self, place: Place, *, make: bool = False) -> FolderNode:
        folder = self._roots[place.root]
        for part in map(to_text, parts_of(place)):
            if make:
                _check_name(part, place)
            node = folder.names.get(part)
            if node is None:
                if not make:
                    raise _error(errno.ENOENT, place)
                node = folder.names[part] = self._new_folder()
            if not isinstance(node, FolderNode):
                is_link = node.kind is Kind.LINK
                raise _error(errno.ELOOP if is_link else errno.ENOTDIR, place)
            folder = node
        return folder

    def _find(self, place: Place) -> Node | None:
        parts_of(place)
        if not place.path:
            return self._roots[place.root]
        try:
            folder = self._folder(place.folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return folder.names.get(place.name)

    def _link(self, folder: FolderNode, place: Place, node: Node) -> None:
        _check_name(place.name, place)
        folder.names[place.name] = node
        node.ctime_ns = max(node.ctime_ns, node.mtime_ns)

    def _unlink(self, place: Place) -> None:
        del self._folder(place.folder).names[place.name]

    def _put_other(self, place: Place, kind: Kind) -> None:
        folder = self._folder(place.folder, make=True)
        node = OtherNode(self._next_inode(), self._now_ns(), kind)
        self._link(folder, place, node)


def _own(stream: IO[bytes]) -> MemoryFile:
    assert isinstance(stream, MemoryFile)
    stream.check_open()
    return stream


def _facts(node: Node, *, closely: bool = False) -> Facts:
    size = len(node.content) if isinstance(node, FileNode) else 0
    asks = closely and isinstance(node, FileNode)
    return Facts(
        kind=node.kind,
        identity=Identity(size, node.mtime_ns, node.inode),
        mode=node.mode,
        ctime_ns=node.ctime_ns,
        writer=node.writers > 0 if asks else None,
    )


def _check_name(name: str, place: Place) -> None:
    if len(to_bytes(name)) > NAME_BYTES_MAX:
        raise _error(errno.ENAMETOOLONG, place)


def _error(number: int, place: Place) -> OSError:
    return OSError(number, os.strerror(number), str(place))
