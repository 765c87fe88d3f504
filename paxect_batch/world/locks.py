"""Locks between nodes and runs, by files on the share: the only user of filelock.

A node is held by a lock of the operating system, which ends with its process. A claim
is a marker file that names its owner's process and host; one whose process is gone from
this host is taken over, which covers a pid that some other process has by now. Nothing
rests on these locks but speed and order.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from paxect_batch.seams import Claim

if TYPE_CHECKING:
    from filelock import BaseFileLock

TORN_MARKER_SECONDS = 10.0
"""The age, by the share's clock, at which a marker without an owner is nobody's."""

_OWNER_BYTES_MAX = 1024


class FileLocks:
    """See `seams.Locks`. `now` is the share's clock."""

    def __init__(
        self,
        state_folder: str | bytes,
        *,
        now: Callable[[], float] = time.time,
        node_lock: str | None = None,
    ) -> None:
        """`node_lock` is where the node's lock lies, if not in the state folder."""
        self._folder = os.fsdecode(state_folder)
        self._claims = os.path.join(self._folder, "claims")
        self._now = now
        self._node_lock = node_lock

    def hold_node(self, node: str) -> Claim | None:
        """See `seams.Locks`. `OSError` EINVAL if the name cannot be a folder's."""
        if node in ("", ".", "..") or any(letter in node for letter in "/\\\0"):
            raise OSError(errno.EINVAL, "not a name of a node", node)
        folder = os.path.join(self._folder, "nodes", node)
        os.makedirs(folder, exist_ok=True)
        # Imported here, for commands that lock nothing.
        from filelock import FileLock

        path = self._node_lock or os.path.join(folder, "lock")
        return _taken(FileLock(path, thread_local=False))

    def claim(self, key: str) -> Claim | None:
        """See `seams.Locks`."""
        from filelock import SoftFileLock

        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        path = os.path.join(self._claims, f"{name}.lock")
        try:
            taken = _taken(SoftFileLock(path, thread_local=False))
        except FileNotFoundError:
            os.mkdir(self._claims)
            taken = _taken(SoftFileLock(path, thread_local=False))
        if taken is None and self._remove_torn(path):
            taken = _taken(SoftFileLock(path, thread_local=False))
        return taken

    def _remove_torn(self, path: str) -> bool:
        """Remove a marker whose maker died before it had written who it is.

        filelock leaves an empty one for good, since its old releases wrote no owner,
        and a torn one unless the same object meets it twice.
        """
        try:
            judged = os.lstat(path)
            if self._now() - judged.st_mtime < TORN_MARKER_SECONDS:
                return False
            if not _is_torn(path):
                return False
            aside = f"{path}.torn.{secrets.token_hex(8)}"
            os.rename(path, aside)
        except FileNotFoundError:
            return True
        moved = os.lstat(aside)
        if (moved.st_ino, moved.st_mtime_ns) != (judged.st_ino, judged.st_mtime_ns):
            # Another run did the same a moment earlier, and this is its new marker.
            os.rename(aside, path)
            return False
        os.unlink(aside)
        return True


def _is_torn(path: str) -> bool:
    with open(path, "rb") as stream:
        owner = stream.read(_OWNER_BYTES_MAX)
    return not owner.endswith(b"\n") or b"\0" in owner


class _FileClaim:
    """See `seams.Claim`."""

    def __init__(self, lock: BaseFileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """See `seams.Claim`. What cannot be given back is for the sweeper to take."""
        with contextlib.suppress(OSError):
            self._lock.release()


def _taken(lock: BaseFileLock) -> Claim | None:
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return _FileClaim(lock)
