"""Make and remove a share's folders, and make durable what is in them.

Who finds a folder that somebody else made cannot know whether its name would outlive
the share's power: its maker may have died before making it so. So with the entries of a
folder the names by which it is found are made durable, once for each folder.
"""

from __future__ import annotations

import contextlib
import errno
import stat

from paxect_batch.model.places import Place
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

    def _make_one(self, folder: Place) -> None:
        try:
            self._tree.make(folder)
        except FileExistsError:
            if not stat.S_ISDIR(self._tree.stat(folder).st_mode):
                raise
        else:
            self.sync(folder.folder)

    def _hold(self, folder: Place) -> None:
        if not folder.path or folder in self._held:
            return
        self._hold(folder.folder)
        # Who may not open a folder cannot make its entries durable either way.
        with contextlib.suppress(PermissionError):
            self._tree.sync_folder(folder.folder)
        if len(self._held) >= _HELD_MAX:
            self._held.clear()
        self._held.add(folder)
