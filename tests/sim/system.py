"""The real locks on the simulated disk: what they use of `os`, `time`, `threading`.

`installed` puts these in place of the modules that `world.leases`, `claims`, `keeper`
and `locks` see. Which node calls is told by whose turn it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from collections.abc import Callable, Iterator
from types import SimpleNamespace, TracebackType
from typing import Any
from unittest import mock

from calls import Calls
from disk import File, Folder, error
from turns import Act, Process, Turns

from paxect_batch.cli import anew
from paxect_batch.model.errors import NotReady
from paxect_batch.model.leases import Machine
from paxect_batch.world import (
    claim_owners,
    claims,
    delegations,
    fresh,
    keeper,
    leases,
    ledger,
    locks,
)

FOLDER = ".paxect"


class Host:
    """A machine: which of its processes run, and which hold the lock of a node."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.boot = "boot"
        self.pids = 0
        self.running: dict[int, Process] = {}
        self.run_locks: dict[str, Process] = {}

    def start(self, process: Process) -> Machine:
        """Let a process begin; return what it says of itself."""
        self.pids += 1
        self.running[self.pids] = process
        return Machine(
            host=self.name,
            machine=self.name,
            boot=self.boot,
            pid=self.pids,
            started=str(self.pids),
        )

    def is_running(self, machine: Machine) -> bool:
        process = self.running.get(machine.pid)
        return process is not None and not process.is_dead


class World:
    """What processes are made of; `calls_of` is by process."""

    def __init__(self, turns: Turns, *, is_smb: bool = False) -> None:
        self.turns = turns
        self._is_smb = is_smb
        self.calls: dict[Process, Calls] = {}
        self.hosts: dict[Process, Host] = {}
        self.machines: dict[Process, Machine] = {}
        self._tokens = 0

    @property
    def now(self) -> Calls:
        """The calls of the process whose turn it is."""
        return self.calls[self.turns.process]

    def token_hex(self, size: int) -> str:
        self._tokens += 1
        return f"{self._tokens:0{2 * size}x}"

    def is_on_smb(self, path: str) -> bool:
        """Tell what kind of share it is, which takes an open and may fail."""
        if self.now.find(path, "open") is None:
            raise error(errno.ENOENT, path)
        return self._is_smb

    def this_machine(self) -> Machine:
        return self.machines[self.turns.process]

    def is_running(self, machine: Machine) -> bool:
        return self.hosts[self.turns.process].is_running(machine)

    def has_ended(self, machine: Machine) -> bool:
        return not self.is_running(machine)


class SimLocks(locks.FileLocks):
    """The real ones; the lock between runs of one machine is the simulated host's."""

    world: World

    def _lock_run(self, node: str) -> None:
        process = self.world.turns.process
        held = self.world.hosts[process].run_locks
        if node in held and not held[node].is_dead and held[node] is not process:
            raise NotReady(f"another run holds node {node!r}")
        held[node] = process

    def _unlock_run(self) -> None:
        process = self.world.turns.process
        held = self.world.hosts[process].run_locks
        for node in [node for node, holder in held.items() if holder is process]:
            del held[node]


class _Path:
    """What the locks use of `os.path`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(posixpath, name)

    def isdir(self, path: str) -> bool:
        return isinstance(self._world.now.find(path, "stat"), Folder)


class _Os:
    """What the locks use of `os`."""

    O_RDONLY, O_WRONLY, O_CREAT, O_EXCL = (
        os.O_RDONLY,
        os.O_WRONLY,
        os.O_CREAT,
        os.O_EXCL,
    )
    name = "posix"
    fsdecode = staticmethod(os.fsdecode)

    def __init__(self, world: World) -> None:
        self._world = world
        self.path = _Path(world)
        self._open: dict[int, tuple[str, File | Folder]] = {}
        self._fds = 100

    def listdir(self, path: str) -> list[str]:
        # Opening a folder asks the server on every mount that is fit; docs/mounts.md.
        return [name for name, _ in self._world.now.listing(path, fresh=True)]

    def open(self, path: str, flags: int, mode: int = 0) -> int:
        node: File | Folder | None
        if flags & os.O_CREAT:
            node = self._world.now.create(path)
        else:
            node = self._world.now.find(path, "open")
        if node is None:
            raise error(errno.ENOENT, path)
        self._fds += 1
        self._open[self._fds] = path, node
        return self._fds

    def close(self, fd: int) -> None:
        del self._open[fd]

    def write(self, fd: int, data: bytes) -> int:
        path, node = self._open[fd]
        assert isinstance(node, File)
        self._world.now.write(path, node, data + node.content[len(data) :])
        return len(data)

    def fsync(self, fd: int) -> None:
        path, node = self._open[fd]
        if isinstance(node, File):
            self._world.now.sync(path, node)
        else:
            self._world.now.sync_folder(path)

    def unlink(self, path: str) -> None:
        self._world.now.remove(path)

    def rename(self, source: str, target: str) -> None:
        self._world.now.rename(source, target, replaces=True)

    def link(self, source: str, target: str) -> None:
        self._world.now.link(source, target)

    def mkdir(self, path: str) -> None:
        self._world.now.make(path)

    def makedirs(self, path: str, *, exist_ok: bool = False) -> None:
        assert exist_ok
        if self._world.now.find(path) is None:
            self.makedirs(posixpath.dirname(path), exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self._world.now.make(path)

    def stat(self, path: str) -> SimpleNamespace:
        node = self._world.now.find(path, "stat")
        if node is None:
            raise error(errno.ENOENT, path)
        mtime = node.mtime_ns / 1e9 if isinstance(node, File) else 0.0
        return SimpleNamespace(st_mtime=mtime)

    lstat = stat


class _Reader:
    """What `open_plain` gives."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __enter__(self) -> _Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def read(self, size: int) -> bytes:
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def _opener(world: World) -> Callable[..., _Reader]:
    def open_plain(path: str) -> _Reader:
        node = world.now.find(path, "read")
        if not isinstance(node, File):
            raise error(errno.ENOENT, path)
        return _Reader(node.content)

    return open_plain


class _Time:
    """What the locks use of `time`."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def monotonic(self) -> float:
        return self._turns.time - self._turns.process.monotonic_offset

    def time(self) -> float:
        return self._turns.time + self._turns.process.wall_offset

    def sleep(self, seconds: float) -> None:
        self._turns.sleep(seconds)


class _Lock:
    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._held = False

    def __enter__(self) -> None:
        while self._held:
            self._turns.sleep(0.001)
        self._held = True

    def __exit__(self, *exc_info: object) -> None:
        self._held = False


class _Event:
    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def wait(self, seconds: float) -> None:
        until = self._turns.time + seconds
        while not self._is_set and self._turns.time < until:
            self._turns.sleep(min(0.1, until - self._turns.time))


class _Thread:
    def __init__(self, turns: Turns, target: Callable[[], None]) -> None:
        self._turns = turns
        self._target = target
        self._act: Act | None = None

    def start(self) -> None:
        self._act = self._turns.spawn(self._turns.process, self._target)

    def is_alive(self) -> bool:
        return self._act is not None and not self._act.is_over

    def join(self, seconds: float) -> None:
        until = self._turns.time + seconds
        while self.is_alive() and self._turns.time < until:
            self._turns.sleep(0.01)


class SimClock:
    """`seams.Clock` of a process."""

    def __init__(self, turns: Turns, process: Process) -> None:
        self._turns = turns
        self._process = process

    def now(self) -> float:
        return self._turns.time + self._process.wall_offset

    def monotonic(self) -> float:
        return self._turns.time - self._process.monotonic_offset

    def sleep(self, seconds: float) -> None:
        self._turns.sleep(seconds)


@contextlib.contextmanager
def installed(world: World) -> Iterator[None]:
    """Let the real locks, and what begins runs anew, be on the simulated system."""
    turns = world.turns
    clock, system, opener = _Time(turns), _Os(world), _opener(world)
    threads = SimpleNamespace(
        Thread=lambda target, name, daemon: _Thread(turns, target),
        Lock=lambda: _Lock(turns),
        Event=lambda: _Event(turns),
    )
    with contextlib.ExitStack() as stack:

        def put(module: object, **names: object) -> None:
            for name, value in names.items():
                stack.enter_context(mock.patch.object(module, name, value, create=True))

        put(
            leases,
            os=system,
            open_plain=opener,
            secrets=SimpleNamespace(token_hex=world.token_hex),
        )
        put(delegations, os=system, is_on_nfs=lambda _: False)
        put(fresh, os=system, temp_name=lambda: f".paxect-{world.token_hex(8)}.tmp")
        put(ledger, threading=threads)
        put(claim_owners, open_plain=opener, time=clock)
        put(claims, os=system, time=clock, threading=threads)
        put(claims, is_on_smb=world.is_on_smb)
        put(claims, _for_each=lambda act, paths: [act(path) for path in paths])
        put(
            keeper,
            threading=threads,
            time=clock,
            lasting=clock.monotonic,
            is_running=world.is_running,
            has_ended=world.has_ended,
        )
        put(
            locks,
            os=system,
            time=clock,
            is_running=world.is_running,
            this_machine=world.this_machine,
        )
        put(anew, time=clock)
        put(SimLocks, world=world)
        yield
