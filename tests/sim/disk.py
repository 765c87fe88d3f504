"""A file system in memory that can lose power.

A folder's entries and a file's bytes become durable apart. What was not made durable
may be lost at a power cut: any part of the changes to entries, as long as two changes
of one name keep their order and a rename happens whole or not at all; and of bytes
what was written since the last sync.
"""

from __future__ import annotations

import errno
import os
import random
from collections import deque
from collections.abc import Callable, Iterator

WRITEBACK_SECONDS = 30.0
"""After so long a system has written what nobody asked it to."""

SECTOR_BYTES = 512
"""Of what is overwritten in place, so much is written whole or not at all."""

START = 1_800_000_000.0


class File:
    """A file: what is in it now, and what a power cut would leave."""

    __slots__ = (
        "content",
        "ctime_ns",
        "inode",
        "mode",
        "mtime_ns",
        "synced",
        "writers",
    )

    def __init__(self, inode: int, now_ns: int) -> None:
        self.inode = inode
        self.content = b""
        self.synced = b""
        self.mode = 0o644
        self.mtime_ns = self.ctime_ns = now_ns
        self.writers = 0


class Folder:
    """A folder: files and folders by name."""

    __slots__ = ("inode", "names")

    def __init__(self, inode: int) -> None:
        self.inode = inode
        self.names: dict[str, Node] = {}


Node = File | Folder
Slot = tuple[Folder, str, Node | None]
"""A name in a folder, and what it stood for before a change."""


class Disk:
    """The file system of one share; paths are relative to it."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = lambda: START
        """The file server's."""
        self._inodes = 0
        self.tokens = 0
        """How many names were made that nothing else has."""
        self.root = Folder(0)
        self._pending: deque[tuple[float, tuple[Slot, ...]]] = deque()
        self.on_gone: Callable[[str, File], None] = lambda path, file: None
        """Told of each file that lost its name, or was replaced."""
        self.on_named: Callable[[str, File], None] = lambda path, file: None
        """Told of each file that got a name."""
        self.on_replaced: Callable[[str, File, File], None] = lambda path, old, new: (
            None
        )
        """Told of each file that another one took the name of."""

    @property
    def time(self) -> float:
        """The file server's time."""
        return self.clock()

    # -- looking

    def find(self, path: str) -> Node | None:
        """Return what is there."""
        node: Node | None = self.root
        for part in path.split("/") if path else ():
            if not isinstance(node, Folder):
                return None
            node = node.names.get(part)
        return node

    def folder(self, path: str) -> Folder:
        """Return the folder there."""
        node = self.find(path)
        if node is None:
            raise error(errno.ENOENT, path)
        if not isinstance(node, Folder):
            raise error(errno.ENOTDIR, path)
        return node

    def files(self, path: str = "") -> Iterator[tuple[str, File]]:
        """Give all files below a folder, by their paths."""
        top = self.find(path)
        open_folders = [(path, top)] if isinstance(top, Folder) else []
        while open_folders:
            prefix, folder = open_folders.pop()
            for name, node in list(folder.names.items()):
                place = f"{prefix}/{name}" if prefix else name
                if isinstance(node, File):
                    yield place, node
                else:
                    open_folders.append((place, node))

    # -- changing

    def create(self, path: str) -> File:
        """Make a new file."""
        folder, name = self._parent(path)
        if name in folder.names:
            raise error(errno.EEXIST, path)
        file = self._new_file()
        self._change((folder, name, file))
        self.on_named(path, file)
        return file

    def make(self, path: str) -> None:
        """Make a folder."""
        folder, name = self._parent(path)
        if name in folder.names:
            raise error(errno.EEXIST, path)
        self._inodes += 1
        self._change((folder, name, Folder(self._inodes)))

    def write(self, file: File, content: bytes) -> None:
        """Let the file hold that, not durably."""
        file.content = content
        file.mtime_ns = file.ctime_ns = int(self.time * 1e9)

    def remove(self, path: str) -> None:
        """Take a file's name away."""
        folder, name = self._parent(path)
        node = folder.names.get(name)
        if node is None:
            raise error(errno.ENOENT, path)
        if not isinstance(node, File):
            raise error(errno.EISDIR, path)
        self._change((folder, name, None))
        self.on_gone(path, node)

    def remove_folder(self, path: str) -> None:
        """Take an empty folder away."""
        folder, name = self._parent(path)
        node = folder.names.get(name)
        if node is None:
            raise error(errno.ENOENT, path)
        if not isinstance(node, Folder):
            raise error(errno.ENOTDIR, path)
        if node.names:
            raise error(errno.ENOTEMPTY, path)
        self._change((folder, name, None))

    def rename(self, source: str, target: str, *, replaces: bool) -> None:
        """Move a file, in place of another one if it may."""
        folder, name = self._parent(source)
        node = folder.names.get(name)
        if node is None:
            raise error(errno.ENOENT, source)
        to_folder, to_name = self._parent(target)
        there = to_folder.names.get(to_name)
        if there is not None and (not replaces or isinstance(there, Folder)):
            raise error(errno.EEXIST, target)
        self._change((folder, name, None), (to_folder, to_name, node))
        if isinstance(node, File):
            node.ctime_ns = int(self.time * 1e9)
            if isinstance(there, File):
                self.on_replaced(target, there, node)
                self.on_gone(target, there)
            self.on_named(target, node)

    def link(self, source: str, target: str) -> None:
        """Give a file a second name."""
        node = self.find(source)
        folder, name = self._parent(target)
        if node is None:
            raise error(errno.ENOENT, source)
        if name in folder.names:
            raise error(errno.EEXIST, target)
        self._change((folder, name, node))

    # -- durability

    def sync(self, file: File) -> None:
        """Make what is in a file durable."""
        file.synced = file.content

    def sync_folder(self, folder: Folder) -> None:
        """Make a folder's entries durable, and what these changes build on."""
        needed: set[tuple[int, str]] = set()
        kept: deque[tuple[float, tuple[Slot, ...]]] = deque()
        while self._pending:
            change = self._pending.pop()
            names = [(each.inode, name) for each, name, _ in change[1]]
            if any(each is folder for each, _, _ in change[1]) or any(
                name in needed for name in names
            ):
                needed.update(names)
            else:
                kept.appendleft(change)
        self._pending = kept

    def lose_power(self, dice: random.Random) -> int:
        """Lose what was not durable, as far as the dice say; tell how much was."""
        undone: set[tuple[int, str]] = set()
        keep = dice.choice((0.0, 0.5, 0.9))
        changes, self._pending = list(self._pending), deque()
        lost = []
        for _, slots in changes:
            names = [(folder.inode, name) for folder, name, _ in slots]
            if dice.random() >= keep or any(name in undone for name in names):
                undone.update(names)
                lost.append(slots)
        for slots in reversed(lost):
            for folder, name, before in reversed(slots):
                if before is None:
                    folder.names.pop(name, None)
                else:
                    folder.names[name] = before
        for _, file in self.files():
            file.writers = 0
            if file.content != file.synced:
                file.content = dice.choice(
                    (file.synced, file.content, _torn(file, dice))
                )
                file.synced = file.content
        return len(lost)

    def _parent(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rpartition("/")
        return self.folder(parent), name

    def _new_file(self) -> File:
        self._inodes += 1
        return File(self._inodes, int(self.time * 1e9))

    def _change(self, *changes: tuple[Folder, str, Node | None]) -> None:
        while self._pending and self._pending[0][0] < self.time - WRITEBACK_SECONDS:
            self._pending.popleft()
        slots = tuple(
            (folder, name, folder.names.get(name)) for folder, name, _ in changes
        )
        self._pending.append((self.time, slots))
        for folder, name, node in changes:
            if node is None:
                del folder.names[name]
            else:
                folder.names[name] = node


def _torn(file: File, dice: random.Random) -> bytes:
    """Return what is there if only a part was written."""
    if file.content.startswith(file.synced):
        # What was appended may be missing; what it was appended to is not.
        return file.content[: dice.randint(len(file.synced), len(file.content))]
    if len(file.content) != len(file.synced):
        return file.content[: dice.randrange(len(file.content) + 1)]
    cut = dice.randrange(0, len(file.content) + 1, SECTOR_BYTES)
    return file.content[:cut] + file.synced[cut:]


def error(number: int, path: str) -> OSError:
    """Return the error that the system has for it."""
    return OSError(number, os.strerror(number), path)
