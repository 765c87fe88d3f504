"""The system as the relay's world calls it, of which one call fails as it is told.

`installed` puts it in place of what share, leases and claims use of `os`, and gives
them a clock that only waiting moves. Everything else is real: the files, the locks, the
ledger, the streams.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import IO, Any
from unittest import mock

from paxect_batch.world import (
    claims,
    delegations,
    fresh,
    keeper,
    leases,
    locks,
    plain_files,
    renames,
    share,
    syncing,
    tree,
    tree_descriptors,
)

_CALLERS = (
    claims,
    delegations,
    fresh,
    leases,
    locks,
    plain_files,
    renames,
    share,
    syncing,
    tree,
    tree_descriptors,
)

E = errno
ANY = (E.EIO, E.ESTALE)
FULL = (E.ENOSPC, E.EDQUOT)
FORBIDDEN = (E.EACCES, E.EROFS)
MACHINE = (E.EMFILE, E.ENFILE, E.ENOMEM)

ERRORS: dict[str, tuple[int, ...]] = {
    "open": (*ANY, E.EACCES, *MACHINE),
    "create": (*ANY, *FULL, *FORBIDDEN, E.EMFILE),
    "read": ANY,
    "write": (*ANY, *FULL),
    "fsync": (*ANY, *FULL),
    "syncfs": (*ANY, *FULL),
    "close": (E.EIO, E.EINTR, *FULL),
    "stat": (*ANY, E.EACCES, E.ENOMEM),
    "fstat": (*ANY, E.ENOMEM),
    "scandir": (*ANY, E.EACCES, E.EMFILE),
    "getdents": ANY,
    "mkdir": (*ANY, *FULL, *FORBIDDEN),
    "unlink": (*ANY, *FORBIDDEN, E.EBUSY),
    "rmdir": (*ANY, *FORBIDDEN, E.EBUSY),
    "rename": (*ANY, *FULL, *FORBIDDEN, E.EBUSY),
    "link": (*ANY, *FULL, E.EPERM),
    "truncate": (*ANY, E.ENOSPC),
    "statvfs": (E.EIO, E.ESTALE),
}
"""What each call may answer, by its manual page and by what was seen on NFS and SMB."""

CHANGES = frozenset(
    ("create", "write", "mkdir", "unlink", "rmdir", "rename", "link", "truncate")
)
"""Calls that may fail although they happened: the answer of the server was lost."""
GROWS = frozenset(("create", "write", "mkdir", "link"))
"""Calls that need room."""


STRIKES_MAX = 20_000
"""Who is told no so often, and goes on, goes on for ever."""
WAIT_SECONDS_MAX = 5_000.0


@dataclass(frozen=True)
class Fault:
    """What goes wrong."""

    role: str
    kind: str
    number: int
    """Which call of that kind, counted from 0."""
    error: int
    forever: bool = False
    """Whether all later calls of that kind fail, too."""
    happens: bool = False
    """Whether the call is carried out all the same."""
    fills: bool = False
    """Whether nothing that needs room succeeds from then on, of whatever kind."""

    def __str__(self) -> str:
        how = [
            f"{self.role} {self.kind} {self.number} {E.errorcode[self.error]}",
            *(name for name in ("forever", "happens", "fills") if getattr(self, name)),
        ]
        return " ".join(how)


class FaultySystem:
    """Counts calls by who makes them and of which kind; makes one of them fail."""

    def __init__(self, fault: Fault | None = None, *, piece: int = 0) -> None:
        self.fault = fault
        self.piece = piece
        """If not 0, reads and writes move so many bytes at most."""
        self.role = "coordinator"
        self.counts: Counter[tuple[str, str]] = Counter()
        self.struck = 0
        """How often something failed."""
        self._full = False
        self.os = _Os(self)

    def mend(self) -> None:
        """Let nothing fail any more."""
        self.fault = None
        self._full = False
        self.piece = 0

    def strikes(self, kind: str) -> bool:
        """Count a call; tell whether it is to fail."""
        number = self.counts[self.role, kind]
        self.counts[self.role, kind] += 1
        fault = self.fault
        if fault is None:
            return False
        is_it = (self.role, kind) == (fault.role, fault.kind) and (
            number == fault.number or (fault.forever and number > fault.number)
        )
        if is_it and fault.fills:
            self._full = True
        if is_it or (self._full and kind in GROWS):
            self.struck += 1
            assert self.struck < STRIKES_MAX, f"it never stops: {fault}"
            return True
        return False

    def call(self, kind: str, act: Callable[[], Any], name: object = None) -> Any:
        """Make a call, or fail."""
        if not self.strikes(kind):
            return act()
        assert self.fault is not None
        if self.fault.happens:
            done = act()
            if isinstance(done, int) and kind in ("open", "create"):
                os.close(done)
        number = self.fault.error
        raise OSError(number, os.strerror(number), name)

    def part_of(self, size: int) -> int:
        return min(size, self.piece) if self.piece else size


class _Os:
    """What the world sees of `os`; what is not here is the real one."""

    def __init__(self, system: FaultySystem) -> None:
        self._system = system
        self._writes: set[int] = set()
        self.supports_dir_fd = {*os.supports_dir_fd, self.open}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Any, flags: int, *args: Any, **named: Any) -> int:
        kind = "create" if flags & os.O_CREAT else "open"
        fd: int = self._system.call(
            kind, lambda: os.open(path, flags, *args, **named), path
        )
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._writes.add(fd)
        return fd

    def close(self, fd: int) -> None:
        written = fd in self._writes
        self._writes.discard(fd)
        os.close(fd)
        # Only what was written can be lost by closing.
        if written:
            self._system.call("close", lambda: None)

    def fdopen(self, fd: int, mode: str, buffering: int) -> IO[bytes]:
        assert buffering == 0
        self._writes.discard(fd)
        return _File(fd, mode, self._system)

    def scandir(self, fd: int) -> Any:
        return _Listing(self._system.call("scandir", lambda: os.scandir(fd)), self)

    def listdir(self, path: Any) -> list[str]:
        return list(self._system.call("scandir", lambda: os.listdir(path), path))

    def write(self, fd: int, data: bytes) -> int:
        part = data[: self._system.part_of(len(data))]
        return int(self._system.call("write", lambda: os.write(fd, part)))

    def fsync(self, fd: int) -> None:
        self._system.call("fsync", lambda: os.fsync(fd))

    def makedirs(self, path: Any, *, exist_ok: bool) -> None:
        self._system.call("mkdir", lambda: os.makedirs(path, exist_ok=exist_ok), path)


def _passed(kind: str, name: str) -> Callable[..., Any]:
    real = getattr(os, name)

    def call(self: _Os, *args: Any, **named: Any) -> Any:
        return self._system.call(kind, lambda: real(*args, **named), args[0])

    return call


for _kind, _name in (
    ("stat", "stat"),
    ("stat", "lstat"),
    ("fstat", "fstat"),
    ("mkdir", "mkdir"),
    ("unlink", "unlink"),
    ("rmdir", "rmdir"),
    ("rename", "rename"),
    ("rename", "replace"),
    ("link", "link"),
    ("statvfs", "statvfs"),
):
    setattr(_Os, _name, _passed(_kind, _name))


class _Listing:
    """A listing that may fail on the way."""

    def __init__(self, found: Any, system_os: _Os) -> None:
        self._found = found
        self._system = system_os._system

    def __enter__(self) -> Iterator[Any]:
        return self._entries()

    def __exit__(self, *exc_info: object) -> None:
        self._found.close()

    def _entries(self) -> Iterator[Any]:
        for entry in self._found:
            self._system.call("getdents", lambda: None)
            yield entry


class _File(io.FileIO):
    """An unbuffered stream whose calls may fail, or move less than was asked for."""

    def __init__(self, fd: int | str, mode: str, system: FaultySystem) -> None:
        super().__init__(fd, mode)
        self._system = system

    def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
        size = -1 if size is None else size
        if size > 0:
            size = self._system.part_of(size)
        return bytes(self._system.call("read", lambda: super(_File, self).read(size)))

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        part = view[: self._system.part_of(len(view))]
        return int(self._system.call("read", lambda: super(_File, self).readinto(part)))

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        part = view[: self._system.part_of(len(view))]
        if self._system.strikes("write"):
            fault = self._system.fault
            assert fault is not None
            if fault.happens or fault.fills:
                super().write(view[: len(view) // 2])
            raise OSError(fault.error, os.strerror(fault.error))
        return int(super().write(part))

    def truncate(self, size: int | None = None) -> int:
        return int(
            self._system.call("truncate", lambda: super(_File, self).truncate(size))
        )

    def close(self) -> None:
        was_open = not self.closed
        super().close()
        if was_open and self.writable_once:
            self._system.call("close", lambda: None)

    @property
    def writable_once(self) -> bool:
        return "r" not in self.mode


class VirtualTime:
    """A clock that only waiting moves; `pump` is called whenever it moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.pump: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> float:
        return 1.8e9 + self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += max(seconds, 0.01)
        assert self.seconds < WAIT_SECONDS_MAX, "it waits for ever"
        self.pump()


class _NoThread:
    """The lease's thread, which does nothing: `pump` does what it would."""

    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        pass

    def is_alive(self) -> bool:
        return False


def _told(
    system: FaultySystem, kind: str, real: Callable[..., int] | None
) -> Callable[[], Callable[..., int] | None]:
    """Return what gives a call that answers with an error's number."""

    def call(*args: Any) -> int:
        assert real is not None
        try:
            return int(system.call(kind, lambda: real(*args)))
        except OSError as error:
            return error.errno or E.EIO

    return lambda: call if real is not None else None


@contextlib.contextmanager
def installed(system: FaultySystem, clock: VirtualTime) -> Iterator[None]:
    """Have the world call this system, by this clock.

    By a real one, how many calls a run makes would be a matter of the machine's speed.
    """
    import threading

    times = SimpleNamespace(
        monotonic=clock.monotonic, sleep=clock.sleep, time=clock.now
    )
    threads = SimpleNamespace(
        Lock=threading.Lock, Event=threading.Event, Thread=_NoThread
    )
    with contextlib.ExitStack() as stack:
        put = lambda *args, **named: stack.enter_context(  # noqa: E731
            mock.patch.object(*args, **named)
        )
        for module in _CALLERS:
            put(module, "os", system.os)
        for module in (claims, keeper, locks, share, tree_descriptors):
            put(module, "time", times)
        put(keeper, "threading", threads)
        put(keeper, "lasting", clock.monotonic)
        for kind, module in (("rename", renames), ("syncfs", syncing)):
            put(module, "_system_call", _told(system, kind, module._system_call()))
        yield
