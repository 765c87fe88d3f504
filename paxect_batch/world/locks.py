"""Locks between nodes and runs, by files on the share: the only user of filelock.

A node is held by a lock of the operating system, which ends with its process. A claim
is a marker file that names its owner's process and host; one whose process is gone from
this host is taken over, which covers a pid that some other process has by now. What
dead runs left of claims is swept when a node is let go. Nothing rests on these locks
but speed and order.
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
        self._node: str | None = None
        """The node that is held."""

    def hold_node(self, node: str) -> Claim | None:
        """See `seams.Locks`. `OSError` EINVAL if the name cannot be a folder's."""
        if node in ("", ".", "..") or any(letter in node for letter in "/\\\0"):
            raise OSError(errno.EINVAL, "not a name of a node", node)
        self._look()
        folder = os.path.join(self._folder, "nodes", node)
        os.makedirs(folder, exist_ok=True)
        # Imported here, for commands that lock nothing.
        from filelock import FileLock

        path = self._node_lock or os.path.join(folder, "lock")
        lock = FileLock(path, thread_local=False)
        if _taken(lock) is None:
            return None
        self._node = node
        return _NodeClaim(lock, self._sweep)

    def claim(self, key: str) -> Claim | None:
        """See `seams.Locks`."""
        self._look()
        return self._try(os.path.join(self._claims, marker_name(key)))

    def _try(self, path: str) -> Claim | None:
        from filelock import SoftFileLock

        taken = _taken(SoftFileLock(path, thread_local=False))
        if taken is None and self._remove_torn(path):
            taken = _taken(SoftFileLock(path, thread_local=False))
        return taken

    def _look(self) -> None:
        """Raise `FileNotFoundError` for a share that is not there."""
        # filelock would make all folders on the way to a lock, on whatever is there.
        os.stat(self._folder)

    def _remove_torn(self, path: str) -> bool:
        """Remove a marker whose maker died before it had written who it is.

        filelock leaves an empty one for good, since its old releases wrote no owner,
        and a torn one unless the same object meets it twice.
        """
        try:
            judged = os.lstat(path)
            if not _is_torn(path):
                return False
            age = self._now() - judged.st_mtime
            if age < TORN_MARKER_SECONDS and not self._is_alone():
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

    def _is_alone(self) -> bool:
        """Tell whether no other run than this node's can have made a marker.

        A run makes its node's folder before it claims anything, so this is asked only
        after the marker was seen.
        """
        if self._node is None or self._node_lock is not None:
            return False
        return os.listdir(os.path.join(self._folder, "nodes")) == [self._node]

    def _sweep(self) -> None:
        """Remove what dead runs left of claims; this one has none any more."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._claims):
                path = os.path.join(self._claims, name)
                if self._is_alone():
                    _unlink(path)
                elif name.endswith(".lock"):
                    # To be had only if its owner is dead.
                    dead = self._try(path)
                    if dead is not None:
                        dead.release()
        self._node = None


def marker_name(key: str) -> str:
    """Return the name of the marker of a claim."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest[:32]}.lock"


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


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


class _NodeClaim(_FileClaim):
    """A node's place on the share; whoever leaves it cleans up."""

    def __init__(self, lock: BaseFileLock, sweep: Callable[[], None]) -> None:
        super().__init__(lock)
        self._sweep = sweep

    def release(self) -> None:
        """See `seams.Claim`."""
        with contextlib.suppress(OSError):
            self._sweep()
        super().release()


def _taken(lock: BaseFileLock) -> Claim | None:
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return _FileClaim(lock)


def try_lock(path: str, *, soft: bool) -> Claim | None:
    """Take a lock of the operating system, or a soft one, to see what it is worth.

    None if it is held; `OSError` if there is no such lock here.
    """
    from filelock import FileLock, SoftFileLock

    kind = SoftFileLock if soft else FileLock
    return _taken(kind(path, thread_local=False, fallback_to_soft=False))
