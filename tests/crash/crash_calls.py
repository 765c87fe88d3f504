"""The calls by which processes change one share: counted, written down, and died at.

`Calls.watch` puts itself in place of the calls of `os` and of files that are open to
write, so that it sees what share, leases, claims and ledgers do, in coordinator and
workers alike. All processes that were forked with it count together, and one change at
a time is made, so that the numbers are an order. Only changes count: whoever dies
between two of them leaves what the first one left.

The event log is opened otherwise and left out; nothing is built on it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import mmap
import os
import signal
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from crash_changes import Call, Point, Slot, When, Who

from paxect_batch.world import renames, syncing

T = TypeVar("T")

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2
_COUNT = struct.Struct("<Q")
_LENGTH = struct.Struct("<I")


class Calls:
    """Watches the changes below one folder; forked processes share it."""

    def __init__(
        self, folder: Path, scratch: Path, *, point: Point | None = None
    ) -> None:
        self._folder = os.fsencode(folder)
        self._point = point
        self.role = "coordinator"
        self._count = mmap.mmap(-1, _COUNT.size)
        self._guard = threading.Lock()
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        self._path = scratch / "calls"
        self._fd = os.open(self._path, flags | os.O_APPEND, 0o600)
        self._power = os.open(folder, os.O_RDONLY)
        self._os = {name: getattr(os, name) for name in _WATCHED}

    def close(self) -> None:
        """Keep nothing open, which would hold a mount."""
        os.close(self._fd)
        os.close(self._power)

    @property
    def count(self) -> int:
        """How many changes were begun."""
        return int(_COUNT.unpack_from(self._count)[0])

    def made(self) -> list[Call]:
        """Return the changes that were made, in their order."""
        data, calls, at = self._path.read_bytes(), [], 0
        while at < len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            calls.append(msgspec.msgpack.decode(data[at : at + length], type=Call))
            at += length
        return calls

    def watch(self) -> None:
        """See all changes that this process makes from now on, for good."""
        for name in _WATCHED:
            own = getattr(self, f"_{name}")
            if self._os[name] in os.supports_dir_fd:
                os.supports_dir_fd.add(own)
            setattr(os, name, own)
        without_replacing = renames._system_call()
        if without_replacing is not None:
            self._without_replacing = without_replacing
            renames._system_call = lambda: self._rename_new  # type: ignore[assignment]
        whole = syncing._system_call()
        if whole is not None:
            self._whole = whole
            syncing._system_call = lambda: self._syncfs  # type: ignore[assignment]

    def write_to(self, fd: int, data: Any, write: Callable[[Any], int]) -> int:
        """Make a write, which is seen."""
        offset = os.lseek(fd, 0, os.SEEK_CUR)
        whole = bytes(data)

        def call(piece: bytes = whole) -> int:
            return write(piece)

        return self._change(
            "write",
            call,
            lambda done: self._of_fd(fd) | {"offset": offset, "data": whole[:done]},
            half=lambda: call(whole[: len(whole) // 2]),
        )

    def truncate(self, fd: int, size: int, truncate: Callable[[int], T]) -> T:
        """Cut a file, which is seen."""
        return self._change(
            "truncate",
            lambda: truncate(size),
            lambda _: self._of_fd(fd) | {"size": size},
        )

    # -- dying

    def _change(
        self,
        kind: str,
        act: Callable[[], T],
        facts: Callable[[T], dict[str, Any]],
        *,
        half: Callable[[], object] | None = None,
    ) -> T:
        with self._alone():
            number = self.count
            _COUNT.pack_into(self._count, 0, number + 1)
            point = self._point
            here = point is not None and point.number == number
            when = point.when if point is not None and here else None
            if when is When.HALF and half is not None:
                half()
            if when in (When.BEFORE, When.HALF):
                self._die()
            result = act()
            call = Call(number=number, kind=kind, role=self.role, **facts(result))
            line = msgspec.msgpack.encode(call)
            self._os["write"](self._fd, _LENGTH.pack(len(line)) + line)
            if when is When.AFTER:
                self._die()
        return result

    def _die(self) -> None:
        assert self._point is not None
        if self._point.who is Who.POWER:
            fcntl.ioctl(self._power, _SHUTDOWN, struct.pack("=I", _NO_LOG_FLUSH))
        if self._point.who is Who.PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)
        os.killpg(0, signal.SIGKILL)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with self._guard:
            fcntl.lockf(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._fd, fcntl.LOCK_UN)

    # -- what is changed

    def _parent(self, path: Any, dir_fd: int | None) -> tuple[bytes, bytes] | None:
        """Return the folder's path and the name; None if it is no matter of ours."""
        name = os.fsencode(path)
        if dir_fd is None:
            folder, name = os.path.split(os.path.abspath(name))
        else:
            folder = _path_of(dir_fd)
        return (folder, name) if self._is_ours(folder) else None

    def _is_ours(self, path: bytes) -> bool:
        return path == self._folder or path.startswith(self._folder + b"/")

    def _told(self, folder: bytes, name: bytes = b"") -> str:
        path = os.path.relpath(os.path.join(folder, name), self._folder)
        return os.fsdecode(path)

    def _of_name(
        self, place: tuple[bytes, bytes], *, gone: bool = False
    ) -> dict[str, Any]:
        folder, name = place
        path = os.path.join(folder, name)
        found = None if gone else os.lstat(path)
        return {
            "slots": (Slot(os.stat(folder).st_ino, name, found and found.st_ino),),
            "told": self._told(folder, name),
            "inode": found.st_ino if found else 0,
            "mtime_ns": found.st_mtime_ns if found else 0,
        }

    def _of_fd(self, fd: int) -> dict[str, Any]:
        found = os.fstat(fd)
        return {
            "inode": found.st_ino,
            "mtime_ns": found.st_mtime_ns,
            "told": self._told(_path_of(fd)),
        }

    def _of_two(self, old: tuple[bytes, bytes], new: tuple[bytes, bytes]) -> Any:
        before, after = self._of_name(old, gone=True), self._of_name(new)
        told = f"{before['told']} -> {after['told']}"
        return after | {"slots": before["slots"] + after["slots"], "told": told}

    # -- the calls that are watched

    def _open(
        self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        def act() -> int:
            return self._os["open"](path, flags, mode, dir_fd=dir_fd)

        place = self._parent(path, dir_fd) if flags & os.O_CREAT else None
        if place is None:
            return act()
        assert flags & os.O_EXCL, "nothing on a share is made otherwise"
        return self._change("create", act, lambda _: self._of_name(place))

    def _fdopen(
        self, fd: int, mode: str = "r", buffering: int = -1, *args: Any, **named: Any
    ) -> Any:
        if "w" in mode and buffering == 0 and self._is_ours(_path_of(fd)):
            return _WatchedFile(fd, self)
        return self._os["fdopen"](fd, mode, buffering, *args, **named)

    def _write(self, fd: int, data: Any) -> int:
        def write(piece: Any) -> int:
            return self._os["write"](fd, piece)

        if not self._is_ours(_path_of(fd)):
            return write(data)
        return self.write_to(fd, data, write)

    def _fsync(self, fd: int) -> None:
        def act() -> None:
            self._os["fsync"](fd)

        if not self._is_ours(_path_of(fd)):
            return act()
        folder = stat.S_ISDIR(os.fstat(fd).st_mode)
        kind = "sync folder" if folder else "sync"
        return self._change(kind, act, lambda _: self._of_fd(fd))

    def _syncfs(self, fd: int) -> int:
        def act() -> None:
            number = self._whole(fd)
            if number:
                raise OSError(number, os.strerror(number))

        if not self._is_ours(_path_of(fd)):
            return self._whole(fd)
        try:
            self._change("sync all", act, lambda _: {"told": self._told(self._folder)})
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def _utime(self, path: Any, *args: Any, **named: Any) -> None:
        def act() -> None:
            self._os["utime"](path, *args, **named)

        if not isinstance(path, int) or not self._is_ours(_path_of(path)):
            return act()
        return self._change("dress", act, lambda _: self._of_fd(path))

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: Any = None) -> None:
        def act() -> None:
            self._os["mkdir"](path, mode, dir_fd=dir_fd)

        place = self._parent(path, dir_fd)
        if place is None:
            return act()
        return self._change("mkdir", act, lambda _: self._of_name(place))

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("unlink", path, dir_fd)

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("rmdir", path, dir_fd)

    def _remove(self, kind: str, path: Any, dir_fd: int | None) -> None:
        def act() -> int:
            inode = 0
            with contextlib.suppress(OSError):
                inode = os.lstat(path, dir_fd=dir_fd).st_ino
            self._os[kind](path, dir_fd=dir_fd)
            return inode

        place = self._parent(path, dir_fd)
        if place is None:
            act()
            return
        self._change(
            kind, act, lambda inode: self._of_name(place, gone=True) | {"inode": inode}
        )

    def _rename(
        self, src: Any, dst: Any, *, src_dir_fd: Any = None, dst_dir_fd: Any = None
    ) -> None:
        def act() -> None:
            self._os["rename"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

        old, new = self._parent(src, src_dir_fd), self._parent(dst, dst_dir_fd)
        if old is None or new is None:
            return act()
        return self._change("rename", act, lambda _: self._of_two(old, new))

    _replace = _rename

    def _link(
        self, src: Any, dst: Any, *, src_dir_fd: Any = None, dst_dir_fd: Any = None
    ) -> None:
        def act() -> None:
            self._os["link"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

        place = self._parent(dst, dst_dir_fd)
        if place is None:
            return act()
        return self._change("link", act, lambda _: self._of_name(place))

    def _rename_new(self, old_fd: int, old: bytes, new_fd: int, new: bytes) -> int:
        def act() -> None:
            number = self._without_replacing(old_fd, old, new_fd, new)
            if number:
                raise OSError(number, os.strerror(number))

        places = _path_of(old_fd), _path_of(new_fd)
        try:
            self._change(
                "rename",
                act,
                lambda _: self._of_two((places[0], old), (places[1], new)),
            )
        except OSError as error:
            return error.errno or errno.EIO
        return 0


_WATCHED = (
    *("open", "fdopen", "write", "fsync", "utime", "mkdir", "unlink", "rmdir"),
    *("rename", "replace", "link"),
)


class _WatchedFile(io.FileIO):
    """A file of the share that is open to write."""

    def __init__(self, fd: int, calls: Calls) -> None:
        super().__init__(fd, "wb")
        self._calls = calls

    def write(self, data: Any) -> int:
        return self._calls.write_to(self.fileno(), data, super().write)

    def truncate(self, size: int | None = None) -> int:
        cut = self.tell() if size is None else size
        return self._calls.truncate(self.fileno(), cut, super().truncate)


def _path_of(fd: int) -> bytes:
    path: bytes = os.readlink(b"/proc/self/fd/%d" % fd)
    return path
