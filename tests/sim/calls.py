"""System calls of a process on the simulated disk; each is a step that may go wrong."""

from __future__ import annotations

import errno

from disk import Disk, File, Folder, error
from turns import Process, Turns

_LINGERS = frozenset(("create", "rename", "remove", "mkdir", "rmdir", "write"))


class Mount:
    """How the share is mounted: what may be stale, and what renames can do."""

    def __init__(
        self,
        *,
        listing_seconds: float = 0.0,
        refuses_to_replace: bool = True,
        stays: str = "",
        apart: tuple[str, ...] = (),
    ) -> None:
        self.listing_seconds = listing_seconds
        """For how long a listing is remembered that the node itself did not change."""
        self.refuses_to_replace = refuses_to_replace
        """Whether a rename can be told not to; else it is a look and a rename."""
        self.stays = stays
        """The path of a file that lets nobody move or remove it."""
        self.apart = apart
        """The first names of paths that lie on file systems of their own."""

    def together(self, one: str, other: str) -> bool:
        """Tell whether a rename leads from the one path to the other."""
        tops = {path.partition("/")[0] for path in (one, other)}
        return len(tops) == 1 or not tops.intersection(self.apart)


class Calls:
    """System calls of one process on the disk; each is a step that may go wrong."""

    def __init__(
        self, disk: Disk, turns: Turns, process: Process, mount: Mount
    ) -> None:
        self.disk = disk
        self.process = process
        self.mount = mount
        self.turns = turns

    def enter(self, name: str, path: str) -> int:
        """Take a step; return an error to raise after the operation, if any."""
        self.turns.step(name, path)
        process = self.process
        while process.cut_until > self.turns.time:
            if not process.hangs:
                raise error(errno.EIO, path)
            self.turns.sleep(process.cut_until - self.turns.time)
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
            and self.turns.time - known[0] < self.mount.listing_seconds
        ):
            return known[1]
        names = tuple(
            (name, isinstance(node, Folder)) for name, node in folder.names.items()
        )
        self.process.listings[folder.inode] = self.turns.time, names
        return names

    def seems_absent(self, path: str) -> bool:
        """Tell whether the node remembers that there is no such name."""
        parent, _, name = path.rpartition("/")
        folder = self.disk.find(parent)
        known = self.process.listings.get(folder.inode) if folder is not None else None
        return (
            known is not None
            and self.turns.time - known[0] < self.mount.listing_seconds
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
        self._check_stays(path)
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
        self._check_together(source, target)
        self._check_stays(source)
        self._forget(source)
        self._forget(target)
        self.disk.rename(source, target, replaces=replaces)
        _raise_if(late, target)

    def link(self, source: str, target: str) -> None:
        self.enter("link", f"{source} -> {target}")
        self._check_together(source, target)
        self._check_stays(source)
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

    def _check_stays(self, path: str) -> None:
        if path == self.mount.stays:
            raise error(errno.EPERM, path)

    def _check_together(self, source: str, target: str) -> None:
        if not self.mount.together(source, target):
            raise error(errno.EXDEV, target)

    def _forget(self, path: str) -> None:
        if not self.process.listings:
            return
        folder = self.disk.find(path.rpartition("/")[0])
        if folder is not None:
            self.process.listings.pop(folder.inode, None)


def _raise_if(number: int, path: str) -> None:
    if number:
        raise error(number, path)
