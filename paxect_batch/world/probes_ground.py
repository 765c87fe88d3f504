"""The ground that probes stand on: a folder of their own on the share, and its end.

All lies below `.paxect/doctor`: a folder for each probe that runs, `ID`, and what it
says to its peer, `ID.peer`. Leaving removes both, and the folders above them if nobody
else is in them. What a probe that was killed left behind goes when the next one comes,
once it is an hour old by the share's clock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable

from paxect_batch.model.places import STATE_NAME, Place, Root
from paxect_batch.seams import Clock
from paxect_batch.world.share import LocalShare

GROUND_NAME = "doctor"
PEER_SUFFIX = ".peer"
STALE_SECONDS = 3600.0
ENTER_TRIES_MAX = 10
LEAVE_TRIES_MAX = 20
LEAVE_WAIT_SECONDS = 0.1


class Ground:
    """A probe's place on a share; entering may raise `OSError`, leaving never does."""

    def __init__(
        self, share: str, clock: Clock, *, look_up: Callable[[], None] = lambda: None
    ) -> None:
        """`look_up` is called while waiting; what it raises ends the probe."""
        self.id = secrets.token_hex(8)
        self.state_folder = os.path.join(share, STATE_NAME)
        self.folder = os.path.join(self.state_folder, GROUND_NAME)
        self.path = os.path.join(self.folder, self.id)
        self.clock = clock
        self.share = LocalShare({Root.STATE: self.folder}, monotonic=clock.monotonic)
        self.place = Place(Root.STATE, self.id)
        self.left: list[str] = []
        """What leaving could not remove."""
        self._look_up = look_up

    def __enter__(self) -> Ground:
        try:
            self._enter()
            self._sweep()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._leave()

    def pause(self, seconds: float) -> None:
        """Wait, unless the probe is to end."""
        self._look_up()
        self.clock.sleep(seconds)

    def look_up(self) -> None:
        """End the probe if it is to end."""
        self._look_up()

    def _enter(self) -> None:
        # A probe that leaves at this moment may remove the folders just made.
        for _ in range(ENTER_TRIES_MAX):
            try:
                _make(self.state_folder)
                _make(self.folder)
                os.mkdir(self.path)
            except FileNotFoundError:
                if not os.path.isdir(os.path.dirname(self.state_folder)):
                    raise
            else:
                return
        raise OSError(errno.EAGAIN, "others make and remove it", self.folder)

    def _leave(self) -> None:
        for path in (os.path.join(self.folder, self.id + PEER_SUFFIX), self.path):
            if not self._remove(path):
                self.left.append(path)
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)
            # Whoever of several is last. On a share it is never empty.
            os.rmdir(self.state_folder)

    def _remove(self, path: str) -> bool:
        """Remove a file or a tree; on a share that may need several attempts."""
        for attempt in range(LEAVE_TRIES_MAX):
            if attempt:
                # NFS keeps what is open for a moment, SMB what a peer reads.
                self.clock.sleep(LEAVE_WAIT_SECONDS)
            with contextlib.suppress(OSError):
                remove_tree(path)
            if not os.path.lexists(path):
                return True
        return False

    def _sweep(self) -> None:
        now = self.share.now()
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            with contextlib.suppress(OSError):
                if now - os.lstat(path).st_mtime > STALE_SECONDS:
                    remove_tree(path)


def remove_tree(path: str) -> None:
    """Remove a file, or a folder and all in it; links are removed, not followed."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(path)
        return
    for name in os.listdir(os.fsencode(path)):
        remove_tree(os.path.join(path, os.fsdecode(name)))
    os.rmdir(path)


def _make(folder: str) -> None:
    """Make a folder, unless it is there."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
