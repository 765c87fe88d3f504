"""What the agent does with files and locks in a guest, one small act for each question."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Say = Callable[[str, Any], None]

_RENAME_NOREPLACE = 1
_AT_FDCWD = -100
_LOOK_SECONDS = 0.02
_READ_BYTES_MAX = 1 << 16


class Hands:
    """Acts by name; open files and held locks are kept under names that the asker gives."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._open: dict[str, int] = {}
        self._held: dict[str, Any] = {}
        self._over: dict[str, threading.Event] = {}
        self._shares: dict[str, Any] = {}

    # Files.

    def create(self, path: str, text: str, sync: bool, keep: str = "") -> bool:
        """Make a new file; False if the name is taken."""
        try:
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        os.write(fd, text.encode())
        if sync:
            os.fsync(fd)
        self._keep(keep, fd)
        return True

    def append(self, path: str, text: str) -> None:
        """Add to a file, durably."""
        with open(path, "ab", buffering=0) as stream:
            stream.write(text.encode())
            os.fsync(stream.fileno())

    def write_many(self, folder: str, count: int) -> None:
        """Write and sync that many new files."""
        for number in range(count):
            self.create(
                f"{folder}/many-{time.time_ns()}-{number}", "x" * 500, sync=True
            )

    def forget(self) -> None:
        """Close all that is kept open."""
        for keep in list(self._open):
            self.close(keep)

    def open(self, path: str, keep: str, write: bool = False) -> None:
        """Open a file and keep it open."""
        self._keep(keep, os.open(path, os.O_RDWR if write else os.O_RDONLY))

    def _keep(self, keep: str, fd: int) -> None:
        if keep:
            self._open[keep] = fd
        else:
            os.close(fd)

    def close(self, keep: str) -> None:
        """Close what was kept open."""
        os.close(self._open.pop(keep))

    def read_open(self, keep: str) -> str:
        """Read what was kept open, from its beginning."""
        return os.pread(self._open[keep], _READ_BYTES_MAX, 0).decode()

    def write_open(self, keep: str, text: str) -> None:
        """Write to what was kept open, at its beginning, durably."""
        os.pwrite(self._open[keep], text.encode(), 0)
        os.fsync(self._open[keep])

    def read(self, path: str) -> str | None:
        """Open and read; None if there is no such file."""
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb", buffering=0) as stream:
            return stream.read(_READ_BYTES_MAX).decode()

    def size(self, path: str, how: str) -> int | None:
        """Return the size by `stat`, or by `open` and `fstat`; None if not there.

        -1 if what the client knew of the name is gone, which is no answer.
        """
        try:
            if how == "stat":
                return os.stat(path).st_size
            fd = os.open(path, os.O_RDONLY)
            try:
                return os.fstat(fd).st_size
            finally:
                os.close(fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            return -1

    def relay_looks(self, relay: str, path: str) -> int | None:
        """Return the size as the relay sees it when it looks; None if not there."""
        if relay not in sys.path:
            sys.path.insert(0, relay)
        from paxect_batch.model.places import Place, Root
        from paxect_batch.world.share import LocalShare

        folder, _, name = path.rpartition("/")
        share = self._shares.setdefault(folder, LocalShare({Root.INBOX: folder}))
        facts = share.look(Place(Root.INBOX, name))
        return None if facts is None else facts.identity.size

    def names(self, folder: str) -> list[str]:
        """List a folder."""
        return sorted(os.listdir(folder))

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        os.makedirs(path, exist_ok=True)

    def rename(self, source: str, target: str) -> str:
        """Rename; "done", or the name of the error."""
        return self._named(lambda: os.rename(source, target))

    def rename_new(self, source: str, target: str) -> str:
        """Rename by the system's call that refuses to replace."""
        library = ctypes.CDLL(None, use_errno=True)
        old, new = os.fsencode(source), os.fsencode(target)
        code = library.renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE)
        return "done" if code == 0 else errno.errorcode[ctypes.get_errno()]

    def look_and_rename(self, source: str, target: str) -> str:
        """Rename if a look says that the name is free."""
        if os.path.lexists(target):
            return "EEXIST"
        return self.rename(source, target)

    def link(self, source: str, target: str) -> str:
        """Make a second name."""
        return self._named(lambda: os.link(source, target))

    def remove(self, path: str) -> str:
        """Remove a file."""
        return self._named(lambda: os.unlink(path))

    def sync_folder(self, path: str) -> str:
        """Make a folder's entries durable."""

        def act() -> None:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

        return self._named(act)

    def _named(self, act: Callable[[], object]) -> str:
        try:
            act()
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, str(error))
        return "done"

    def freshen(self, folder: str, how: str) -> None:
        """Do to a folder what may make what is known of its names fresh."""
        acts: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "1.2 s": lambda: time.sleep(1.2),
            "stat of the folder": lambda: os.stat(folder),
            "fstat of a kept descriptor": lambda: os.fstat(self._kept(folder)),
            "open of it without reading (O_PATH)": lambda: _open_and_close(
                folder, os.O_PATH
            ),
            "open and fstat of the folder": lambda: _open_and_close(
                folder, os.O_RDONLY
            ),
            "open of . by a kept descriptor": lambda: _open_and_close(
                ".", os.O_RDONLY, self._kept(folder)
            ),
            "sync of the folder": lambda: self.sync_folder(folder),
            "listing of the folder": lambda: os.listdir(folder),
            "utime of the folder": lambda: os.utime(folder),
            "flock of a file in it": lambda: _lock_once(f"{folder}/locked"),
            "remove a name that is not there": lambda: self.remove(_probe(folder)),
            "create and remove": lambda: _make_and_remove(_probe(folder)),
        }
        acts[how]()

    def keep_folder(self, folder: str) -> None:
        """Keep a descriptor of a folder, as the relay does."""
        if folder not in self._open:
            self._open[folder] = os.open(folder, os.O_PATH | os.O_DIRECTORY)

    def _kept(self, folder: str) -> int:
        self.keep_folder(folder)
        return self._open[folder]

    def names_kept(self, folder: str) -> list[str]:
        """List a folder by its kept descriptor."""
        fd = os.open(".", os.O_RDONLY, dir_fd=self._kept(folder))
        try:
            return sorted(os.listdir(fd))
        finally:
            os.close(fd)

    # Waiting for what another node did.

    def see(self, how: str, path: str, want: Any, within: float) -> float | None:
        """Look again and again until that is seen; how long that took, None if never."""
        looks: dict[str, Callable[[], Any]] = {
            "stat": lambda: self.size(path, "stat") is not None,
            "open": lambda: self.size(path, "open") is not None,
            "read": lambda: self.read(path),
            "listing by a kept descriptor": lambda: (
                os.path.basename(path) in self.names_kept(os.path.dirname(path))
            ),
            "listing": lambda: (
                os.path.basename(path) in os.listdir(os.path.dirname(path))
            ),
        }
        began = time.monotonic()
        while looks[how]() != want:
            if time.monotonic() - began > within:
                return None
            time.sleep(_LOOK_SECONDS)
        return time.monotonic() - began

    def beat(self, path: str, how: str, seconds: float, count: int) -> None:
        """Change a heartbeat file again and again, and say each."""
        fd = (
            os.open(path, os.O_CREAT | os.O_WRONLY, 0o666) if how == "kept open" else -1
        )
        for number in range(1, count + 1):
            text = b"%08d\n" % number
            if how == "kept open":
                os.pwrite(fd, text, 0)
                os.fsync(fd)
            elif how == "in place":
                with open(path, "r+b", buffering=0) as stream:
                    stream.write(text)
                    os.fsync(stream.fileno())
            else:
                part = f"{path}.part"
                with open(part, "wb", buffering=0) as stream:
                    stream.write(text)
                    os.fsync(stream.fileno())
                self._replace(part, path)
            self._say("beat", number)
            time.sleep(seconds)
        if fd >= 0:
            os.close(fd)

    def _replace(self, part: str, path: str) -> None:
        try:
            os.replace(part, path)
        except PermissionError as error:
            self._say("beat refused", errno.errorcode[error.errno or 0])

    def hear(self, path: str, until: int, within: float) -> dict[str, int]:
        """Read a heartbeat file until that beat, and say each that is new."""
        last = 0
        told: dict[str, int] = {}
        began = time.monotonic()
        while last < until and time.monotonic() - began < within:
            try:
                with open(path, "rb", buffering=0) as stream:
                    text = stream.read()
            except OSError as error:
                name = errno.errorcode.get(error.errno or 0, str(error))
                told[name] = told.get(name, 0) + 1
            else:
                number = int(text) if text.strip().isdigit() else 0
                if not text.strip():
                    told["empty"] = told.get("empty", 0) + 1
                if number > last:
                    last = number
                    self._say("heard", number)
            time.sleep(_LOOK_SECONDS)
        return told

    # Two nodes at once.

    def take_all(self, folder: str, count: int, how: str, mine: str) -> list[int]:
        """Try for each of many names, as fast as can be; return those that were won."""
        return [n for n in range(count) if self._take(folder, n, how, mine)]

    def _take(self, folder: str, number: int, how: str, mine: str) -> bool:
        path = os.path.join(folder, str(number))
        try:
            if how == "create":
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            elif how == "rename away":
                os.rename(path, f"{path}.{mine}")
            elif how == "rename onto":
                return self.rename_new(f"{path}.{mine}", f"{path}.taken") == "done"
            elif how == "look and rename":
                if os.path.lexists(f"{path}.taken"):
                    return False
                os.rename(f"{path}.{mine}", f"{path}.taken")
            elif how == "link":
                os.link(f"{path}.{mine}", f"{path}.taken")
            else:
                os.unlink(path)
        except (FileExistsError, FileNotFoundError):
            return False
        return True

    def make_all(self, folder: str, count: int, suffix: str) -> None:
        """Make that many files."""
        for number in range(count):
            with open(os.path.join(folder, f"{number}{suffix}"), "wb") as stream:
                stream.write(b"x")

    # filelock.

    def lock(self, kind: str, path: str, keep: str) -> str:
        """Try for a lock once; "held", "refused", or the name of the error."""
        import filelock

        made: Any = getattr(filelock, kind)
        words = {"lease_duration": 10.0} if kind == "SoftFileLease" else {}
        lock = made(path, thread_local=False, **words)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return "refused"
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, str(error))
        self._held[keep] = lock
        return "held"

    def lock_within(
        self, kind: str, path: str, keep: str, within: float
    ) -> float | None:
        """Try for a lock again and again with one object; how long it took."""
        import filelock

        made: Any = getattr(filelock, kind)
        words = {"lease_duration": 10.0} if kind == "SoftFileLease" else {}
        lock = made(path, thread_local=False, **words)
        began = time.monotonic()
        try:
            lock.acquire(timeout=within, poll_interval=0.1)
        except filelock.Timeout:
            return None
        self._held[keep] = lock
        return time.monotonic() - began

    def unlock(self, keep: str) -> None:
        """Give a lock back."""
        self._held.pop(keep).release()


def _probe(folder: str) -> str:
    return os.path.join(folder, f".probe-{time.time_ns()}")


def _make_and_remove(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)


def _open_and_close(path: str, flags: int, above: int | None = None) -> None:
    fd = os.open(path, flags | os.O_DIRECTORY, dir_fd=above)
    os.fstat(fd)
    os.close(fd)


def _lock_once(path: str) -> None:
    import fcntl

    with open(path, "wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
