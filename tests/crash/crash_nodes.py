"""Real processes of a node, forked from one that has everything loaded.

`run_node` forks a coordinator, which runs the command line as it is, with workers that
were forked ahead of it: starting interpreters would take most of the time. Nothing else
differs from a node that a shell starts.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import io
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any
from unittest import mock

import msgspec
from crash_calls import Calls
from relayed_share import Finished

from paxect_batch.cli import main as command_line
from paxect_batch.cli import wiring
from paxect_batch.model.items import Facts
from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.commits import AtOnce
from paxect_batch.work.lots import do_lot
from paxect_batch.world import pool, worker_loop
from paxect_batch.world import share as real_share

HANGS_SECONDS = 120
"""When a run is said to hang; never how fast one has to be."""
WORKERS_AHEAD = 2
"""Of which one may die."""

_CHILD_SUBREAPER = 36
_LOOK_SECONDS = 0.005
_FAILED = 98


class Nodes:
    """Runs nodes, one after the other. Only a process of one thread may."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        # Locks of this machine's runs go where all else goes.
        tempfile.tempdir = str(scratch)
        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)

    def warm(self, words: Sequence[str]) -> None:
        """Run a node here, so that those who are forked find all loaded."""
        run = self.run_here(words)
        assert run.code == 0, run.err
        gc.collect()
        # What is not looked at is not copied.
        gc.freeze()

    def run_here(
        self, words: Sequence[str], *, inodes: dict[int, int] | None = None
    ) -> Finished:
        """Run a node to its end in this process, which does the work of workers too.

        It takes a third of the time, where it is not the processes that are looked at.
        """
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        signal.alarm(HANGS_SECONDS)
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(wiring, "WorkerPool", _NoPool),
            mock.patch.object(wiring, "OneBeside", AtOnce),
            mock.patch.object(real_share, "_SLOW_REMOVAL_SECONDS", math.inf),
            mock.patch.object(real_share, "_facts", _facts_with(inodes or {})),
        ):
            code = command_line.main([*words, "--workers", "1"])
        signal.alarm(0)
        # Folders that were held open would hold the file system that they are on.
        gc.collect()
        assert threading.active_count() == 1, "a fork would lose the others"
        return Finished(code, _said(out), _said(err))

    def run(
        self,
        words: Sequence[str],
        *,
        calls: Calls | None = None,
        mistake: Callable[[], None] | None = None,
        inodes: dict[int, int] | None = None,
    ) -> Finished:
        """Run a node to its end, or to its death; none of its processes is left.

        `inodes` are told in place of the real ones: a file that was copied passes for
        the one that it was copied from.
        """
        out, err = self._scratch / "out", self._scratch / "err"
        pid = os.fork()
        if pid == 0:
            with _never_back():
                _begin(out, err)
                real_share._facts = _facts_with(inodes or {})
                # Or the changes would not be the same ones each time.
                wiring.OneBeside = AtOnce  # type: ignore[assignment,misc]
                real_share._SLOW_REMOVAL_SECONDS = math.inf
                if mistake is not None:
                    mistake()
                _fork_workers(calls)
                if calls is not None:
                    calls.watch()
                code = command_line.main([*words, "--workers", "1"])
                sys.stdout.flush()
                os._exit(code)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpgid(pid, pid)
        try:
            _, status = os.waitpid(pid, 0)
        finally:
            _end_group(pid)
        code = os.waitstatus_to_exitcode(status)
        return Finished(code, _text(out), _text(err))


@contextlib.contextmanager
def _never_back() -> Iterator[None]:
    try:
        yield
    except BaseException:  # noqa: BLE001  a fork must not go on as its parent
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(_FAILED)


def _begin(out: Path, err: Path) -> None:
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)
    gc.disable()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(HANGS_SECONDS)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, path in ((1, out), (2, err)):
        fd = os.open(path, flags, 0o600)
        os.dup2(fd, number)
        os.close(fd)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False)


def _end_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def _text(path: Path) -> str:
    return path.read_text(errors="surrogateescape") if path.exists() else ""


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def _facts_with(inodes: dict[int, int]) -> Callable[..., Facts]:
    def facts(found: os.stat_result, **more: Any) -> Facts:
        told = _facts(found, **more)
        inode = inodes.get(told.identity.inode)
        if inode is None:
            return told
        identity = msgspec.structs.replace(told.identity, inode=inode)
        return msgspec.structs.replace(told, identity=identity)

    return facts


_facts = real_share._facts


def _fork_workers(calls: Calls | None) -> None:
    ahead: list[_Worker] = []
    for _ in range(WORKERS_AHEAD):
        ahead.append(_Worker(ahead, calls))
    pool.subprocess = types.SimpleNamespace(  # type: ignore[assignment]
        Popen=lambda *_args, **_named: ahead.pop(0),
        PIPE=subprocess.PIPE,
        TimeoutExpired=subprocess.TimeoutExpired,
    )


class _NoPool(pool.WorkerPool):
    """A pool that does each lot at once, and starts no worker."""

    def __init__(
        self, roots: Mapping[Root, str | bytes], workers: int, **named: Any
    ) -> None:
        super().__init__(roots, workers, **named)
        self._share = real_share.LocalShare(roots)

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        future.set_result(do_lot(self._share, lot))
        return future


class _Worker:
    """A worker process that waits to be greeted; what the pool sees of a `Popen`."""

    def __init__(self, before: Sequence[_Worker], calls: Calls | None) -> None:
        from_us, to_worker = os.pipe()
        from_worker, to_us = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            with _never_back():
                for other in before:
                    other.stdin.close()
                    other.stdout.close()
                os.close(to_worker)
                os.close(from_worker)
                signal.alarm(HANGS_SECONDS)
                if calls is not None:
                    calls.role = "worker"
                    calls.watch()
                pipes = os.fdopen(from_us, "rb"), os.fdopen(to_us, "wb")
                worker_loop.serve(*pipes, _prepare)
                os._exit(0)
        os.close(from_us)
        os.close(to_us)
        self.stdin: IO[bytes] = os.fdopen(to_worker, "wb")
        self.stdout: IO[bytes] = os.fdopen(from_worker, "rb")

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float) -> int:
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() >= until:
                raise subprocess.TimeoutExpired("worker", timeout)
            time.sleep(_LOOK_SECONDS)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _prepare(roots: dict[Root, bytes]) -> worker_loop.Handle:
    return functools.partial(do_lot, real_share.LocalShare(roots))
