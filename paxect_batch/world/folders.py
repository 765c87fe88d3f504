"""Make and remove a share's folders, and make durable what is in them.

Who finds a folder that somebody else made cannot know whether its name would outlive
the share's power: its maker may have died before making it so. So with the entries of a
folder the names by which it is found are made durable, once for each folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence

from paxect_batch.model.places import Place
from paxect_batch.world.syncing import (
    TOGETHER_MIN,
    Each,
    Syncing,
    all_met,
    one_by_one,
)
from paxect_batch.world.tree import Tree

_NOT_REMOVED = (errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST)
_HELD_MAX = 100_000


class Folders:
    """The folders of a share, for one process."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._held: set[Place] = set()
        """Folders whose names are durable, as are those of the folders around them."""

    def make(self, folder: Place) -> None:
        """Make a folder and those around it; never a root: ENOENT."""
        if not folder.path:
            self._tree.stat(folder)
            return
        try:
            self._make_one(folder)
        except FileNotFoundError:
            self.make(folder.folder)
            self._make_one(folder)

    def prepare(
        self, folders: Sequence[Place], syncing: Syncing, each: Each = one_by_one
    ) -> None:
        """See that those are there, durably, that are not known to be.

        With one wait if that can be. What fails is not known to be there either, and
        told when it is needed.
        """
        there: list[Place] = []
        for folder in folders:
            if folder.path and folder not in self._held:
                with contextlib.suppress(OSError):
                    self._see_to(folder)
                    there.append(folder)
        # Those that others made as well, who may have died before this.
        around = sorted({above for folder in there for above in self._unsure(folder)})
        if not any(self.sync_all(around, syncing, each)):
            for folder in there:
                self._note(folder)

    def _see_to(self, folder: Place) -> None:
        """Make a folder and those around it, if it is not there."""
        try:
            self._tree.make(folder)
        except FileExistsError:
            if not stat.S_ISDIR(self._tree.stat(folder).st_mode):
                raise
        except FileNotFoundError:
            if not folder.folder.path:
                raise
            self._see_to(folder.folder)
            self._tree.make(folder)

    def _unsure(self, folder: Place) -> Iterator[Place]:
        """Give the folders around it whose entries may not be durable."""
        while folder.path and folder not in self._held:
            folder = folder.folder
            yield folder

    def remove(self, folder: Place) -> bool:
        """Remove a folder; False if it is not there, or not empty."""
        try:
            self._tree.remove_folder(folder)
        except OSError as error:
            if error.errno in _NOT_REMOVED:
                return False
            raise
        self._held.discard(folder)
        return True

    def sync(self, folder: Place) -> None:
        """Make a folder's entries durable, and the names by which it is found."""
        self._tree.sync_folder(folder)
        self._hold(folder)

    def sync_all(
        self, folders: Sequence[Place], syncing: Syncing, each: Each = one_by_one
    ) -> tuple[OSError | None, ...]:
        """Make several folders' entries durable, and the names; tell what each met.

        With one wait for all of them, where that can be.
        """
        if len(folders) >= TOGETHER_MIN and self._together(folders, syncing):
            for folder in folders:
                self._note(folder)
            return (None,) * len(folders)
        return all_met(self.sync, folders, each)

    def _together(self, folders: Sequence[Place], syncing: Syncing) -> bool:
        fds: list[int] = []
        try:
            fds.extend(self._tree.open_folder(folder) for folder in folders)
            return syncing.together(fds)
        except OSError:
            return False  # each tells of itself
        finally:
            for fd in fds:
                os.close(fd)

    def _note(self, folder: Place) -> None:
        while folder.path and folder not in self._held:
            if len(self._held) >= _HELD_MAX:
                self._held.clear()
            self._held.add(folder)
            folder = folder.folder

    def _make_one(self, folder: Place) -> None:
        try:
            self._tree.make(folder)
        except FileExistsError:
            if not stat.S_ISDIR(self._tree.stat(folder).st_mode):
                raise
            self._hold(folder)
        else:
            self.sync(folder.folder)

    def _hold(self, folder: Place) -> None:
        if not folder.path or folder in self._held:
            return
        self._hold(folder.folder)
        # Who may not open a folder cannot make its entries durable either way.
        with contextlib.suppress(PermissionError):
            self._tree.sync_folder(folder.folder)
        self._note(folder)
