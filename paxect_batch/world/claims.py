"""Claims as marker files on the share, each a link to one file that says whose it is.

A run writes its name once a second, and makes that durable; a marker is another name
of that file, which no share gives twice. So taking a claim is one step, and a marker is
never without its owner. Where files cannot have two names, a marker is made with
O_EXCL, written and closed: a server that loses power may leave it empty, and an empty
one is swept as nobody's. So it is on SMB: clients there answer EINVAL to whoever opens
a file by one name while they have it open by another. filelock's SoftFileLock keeps its
marker open, so that the one of a machine that lost power is empty; see docs/locks.md.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import math
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import TypeVar

from paxect_batch.model.about import About
from paxect_batch.world.claim_owners import (
    Owner,
    owner_line,
    read_owner,
    read_owner_there,
)
from paxect_batch.world.delegations import open_file
from paxect_batch.world.file_systems import is_on_smb
from paxect_batch.world.fresh import freshen

_HANDS = 8
_STALL_SECONDS = 0.25
"""Sooner than this no marker without an owner is swept."""
_T = TypeVar("_T")
_SUFFIX = ".lock"
_OWNER_SUFFIX = ".run"
"""Ends the name of what the markers of one run are links to."""
_OWN_TRIES_MAX = 8
_OWN_SECONDS = 1.0
"""A marker has the times of what it is a link to; they tell how old the claim is."""
# As on file systems without links, or where a file has as many as it may.
_CANNOT_LINK = (
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
)
_NO_MARKER = ".folder"
"""Ends the name of what was no marker, and kept an item from being claimed."""

_NAMES_KEPT = 4096
"""Each is asked for several times while its item is on its way."""
_LISTING_PAUSE = 100
"""Markers are listed again after so many times what it took."""
_LISTING_SECONDS_MIN = 0.02
_LISTING_SECONDS_MAX = 0.25


class ClaimFiles:
    """The claims on one share. `now` is the share's clock."""

    def __init__(self, folder: str, *, now: Callable[[], float] = time.time) -> None:
        self._folder = os.path.join(folder, "claims")
        self._now = now
        self._listed: dict[str, float] = {}
        """Since when each marker that is there was listed without a break."""
        self._list_again = -math.inf
        self._not_removed: dict[str, str] = {}
        """Markers that the share refused to remove, and the run that made them."""
        self._taken: dict[str, str] = {}
        """What is held, and the run that holds it."""
        self._links: bool | None = None
        """Whether markers are links here; None as long as nobody asked."""
        self._own = self._own_run = ""
        """What was written last to be linked to, whole, and by which run."""
        self._own_number = 0
        self._own_until = -math.inf
        """How long it tells the time well."""
        self._lock = threading.Lock()

    def take(self, key: str, *, node: str, run: str) -> bool:
        """Make the marker; False if there is one."""
        if key in self._not_removed:
            self._remove_again()
        with self._lock:
            if self._taken.get(key) == run:
                return False
            # Before the marker is made: another thread would take it for its own.
            self._taken[key] = run
        took = False
        try:
            took = self._took(key, node, run)
        finally:
            if not took:
                self._taken.pop(key, None)
        if took:
            # One that could not be removed is had again.
            self._not_removed.pop(key, None)
        return took

    def _took(self, key: str, node: str, run: str) -> bool:
        if self._links is None:
            is_smb = is_on_smb(os.path.dirname(self._folder))
            self._links = hasattr(os, "link") and not is_smb
        if self._links:
            try:
                self._link(key, node, run)
            except FileExistsError:
                # The share may have failed a call that made it all the same.
                with contextlib.suppress(PermissionError):
                    return self.owner(key) == (node, run)
                return False  # another user's, who keeps it to himself
            except OSError as error:
                if error.errno not in _CANNOT_LINK:
                    raise
                self._links = error.errno == errno.EMLINK
            else:
                return True
        return self._make(key, node, run)

    def _link(self, key: str, node: str, run: str) -> None:
        """Make the marker another name of the run's own file."""
        own = self._own_file(node, run)
        for _ in range(_OWN_TRIES_MAX):
            try:
                os.link(own, self._path(key))
            except FileNotFoundError:
                # Another thread wrote a newer one; or somebody swept it, or the folder.
                own = self._own_file(node, run, gone=own)
            else:
                return
        os.link(own, self._path(key))

    def _own_file(self, node: str, run: str, *, gone: str = "") -> str:
        """Return what a marker is made a link to, another one than that is gone."""
        with self._lock:
            old = self._own
            if (
                old != gone
                and self._own_run == run
                and time.monotonic() < self._own_until
            ):
                return old
            new = self._write_own(node, run)
            self._own, self._own_run = new, run
            self._own_until = time.monotonic() + _OWN_SECONDS
        if old:
            with contextlib.suppress(OSError):
                os.unlink(old)
        return new

    def _write_own(self, node: str, run: str) -> str:
        while True:
            self._own_number += 1
            path = f"{self._folder}/{run}.{self._own_number}{_OWNER_SUFFIX}"
            # One that is there may be of a call that failed, and not be whole.
            with contextlib.suppress(FileExistsError):
                fd = self._create(path)
                break
        _fill(fd, owner_line(node, run), path, durably=True)
        return path

    def _make(self, key: str, node: str, run: str) -> bool:
        """Make the marker a file of its own; False if there is one."""
        began = time.monotonic()
        path = self._path(key)
        try:
            fd = self._create(path)
        except FileExistsError:
            return False
        _fill(fd, owner_line(node, run), path)
        if time.monotonic() - began < _STALL_SECONDS:
            return True
        # Who stalls between making and writing may find it swept as nobody's.
        return self.owner(key) == (node, run)

    def seem_to_have(self, key: str) -> bool:
        """Tell whether the marker was there when they were listed last."""
        now = time.monotonic()
        if now >= self._list_again:
            self._remove_again()
            self._listed = {name: self._listed.get(name, now) for name in self._names()}
            done = time.monotonic()
            pause = (done - now) * _LISTING_PAUSE
            self._list_again = done + min(
                max(pause, _LISTING_SECONDS_MIN), _LISTING_SECONDS_MAX
            )
        return marker_name(key) in self._listed

    def is_held_long(self, key: str, seconds: float) -> bool:
        """Tell whether the marker was listed for so long, once in that time."""
        name, now = marker_name(key), time.monotonic()
        if now - self._listed.get(name, now) < seconds:
            return False
        self._listed[name] = now
        return True

    def owner(self, key: str) -> tuple[str, str] | None:
        """Return node and run that the marker names; None if it names none."""
        return read_owner(self._path(key))

    def give_back(
        self, key: str, *, run: str, stands: Callable[[], bool] = lambda: True
    ) -> None:
        """Remove the run's marker, soon if not now: all would wait for it.

        Not if the run does not stand any more.
        """
        try:
            if stands():
                os.unlink(self._path(key))
        except FileNotFoundError:
            pass
        except OSError:
            self._not_removed[key] = run
        finally:
            # Not before: who takes it again must not lose what is removed here.
            self._taken.pop(key, None)

    def take_away(self, key: str) -> None:
        """Remove the marker, whoever made it; `OSError` if the share refuses."""
        with contextlib.suppress(FileNotFoundError):
            _drop(self._path(key))

    def _remove_again(self) -> None:
        for key, run in list(self._not_removed.items()):
            with self._lock:
                if key in self._taken:
                    continue  # another thread has it again, or is at it
                self._taken[key] = run
            try:
                # It may have been removed all the same, and be another run's by now.
                with contextlib.suppress(OSError):
                    owner = read_owner(self._path(key))
                    if owner is not None and owner[1] == run:
                        os.unlink(self._path(key))
                    self._not_removed.pop(key, None)
            finally:
                with self._lock:
                    if self._taken.get(key) == run:
                        del self._taken[key]

    def remove_all_of(self, run: str) -> int:
        """Remove the markers of a run that is over; return how many there were."""

        def remove(path: str) -> int:
            try:
                owner = read_owner(path)
            except PermissionError:
                return 0  # another user's, who keeps it to himself
            if owner is None or owner[1] != run:
                return 0
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return 1

        # One that is missed keeps its item from all who live.
        freshen(self._folder)
        removed = sum(_for_each(remove, self._paths()))
        for name in self._names(_OWNER_SUFFIX):
            if _run_in(name) == run:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, name))
        return removed

    def sweep(
        self,
        living: Callable[[], Collection[str]],
        age_seconds: float,
        *,
        unread: Collection[str] = (),
    ) -> None:
        """Remove markers of runs that are not among the living ones.

        `unread` are nodes that may have runs which are not among these. What another
        user keeps to himself stays as well.

        Where there are several, one without an owner is nobody's once it has that age:
        its maker died before it had written who it is, or was cut off. One of a run
        that is dead and buried goes at once: its maker slept, and woke too late.
        """
        freshen(self._folder)
        owns = self._names(_OWNER_SUFFIX)
        owners: dict[str, Owner] = {}

        def note(path: str) -> None:
            # One that is gone is not one without an owner: its name may be taken by
            # the time that a client, which knows the old one, tells its age.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                owners[path] = read_owner_there(path)

        _for_each(note, self._paths())
        # Asked after these were read: whoever joins later made none of them.
        runs = living()
        for name in owns:
            # It does not name its node.
            if _run_in(name) not in runs and not unread:
                with contextlib.suppress(FileNotFoundError, PermissionError):
                    _drop(os.path.join(self._folder, name))

        def look_after(path: str) -> None:
            owner = owners[path]
            if owner is not None and (owner[1] in runs or owner[0] in unread):
                return
            with contextlib.suppress(FileNotFoundError):
                # Who slept since it asked may find the claim of a later one.
                if read_owner_there(path) == owner and (
                    # It is not waited for: who is not among the living was buried.
                    owner is not None
                    or (len(runs) <= 1 and not unread)
                    or self._now() - os.lstat(path).st_mtime >= age_seconds
                ):
                    _drop(path)

        _for_each(look_after, list(owners))

    def _create(self, path: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return open_file(path, flags)
        except FileNotFoundError:
            # Not the state folder as well: that would make a share where none is.
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._folder)
            return open_file(path, flags)

    def _path(self, key: str) -> str:
        return f"{self._folder}/{marker_name(key)}"

    def _names(self, suffix: str = _SUFFIX) -> list[str]:
        try:
            return [name for name in os.listdir(self._folder) if name.endswith(suffix)]
        except FileNotFoundError:
            return []

    def _paths(self) -> list[str]:
        return [os.path.join(self._folder, name) for name in self._names()]


def _for_each(act: Callable[[str], _T], paths: list[str]) -> list[_T]:
    """Act on several at once: a server may wait at each for a client that is gone."""
    if len(paths) < _HANDS:
        return [act(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_HANDS) as hands:
        return list(hands.map(act, paths))


def _fill(fd: int, data: bytes, path: str, *, durably: bool = False) -> None:
    """Write a new file, and close it."""
    with About(path):
        try:
            while data:
                data = data[os.write(fd, data) :]
            if durably:
                os.fsync(fd)
        finally:
            os.close(fd)


def _drop(path: str) -> None:
    """Remove a marker; a folder that has its name gets another one."""
    try:
        os.unlink(path)
    except OSError:
        if not os.path.isdir(path):
            raise
        with contextlib.suppress(OSError):
            os.rename(path, path + _NO_MARKER)


@functools.lru_cache(maxsize=_NAMES_KEPT)
def marker_name(key: str) -> str:
    """Return the name of the marker of a key, which is short and a name anywhere."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest[:32]}{_SUFFIX}"


def _run_in(own_name: str) -> str:
    return own_name.removesuffix(_OWNER_SUFFIX).rpartition(".")[0]


def is_marker(name: str) -> bool:
    """Tell whether a file of that name stands for a claim."""
    return name.endswith(_SUFFIX)
