"""The commands of the relay in this process, workers included, and all that escapes.

A worker's unhandled error, which would end a worker process, is kept as an escape; so
are those of threads, and of what the interpreter can only complain about.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from unittest import mock

import msgspec

from paxect_batch.cli import main, wiring
from paxect_batch.model.leases import Machine
from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay import closing
from paxect_batch.seams import WorkerDied
from paxect_batch.work.lots import do_lot
from paxect_batch.world import locks
from paxect_batch.world.machine import this_machine
from paxect_batch.world.share import LocalShare

_escapes: list[str] = []


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    code: int
    out: str
    err: str
    escapes: list[str] = field(default_factory=list)


class ThreadPool:
    """`seams.Executor`, in this thread."""

    def __init__(self, roots: Mapping[Root, str], workers: int, **_: object) -> None:
        # The one that the coordinator has, with all that happens to it.
        self._share = wiring.LocalShare(roots)

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        try:
            future.set_result(do_lot(self._share, lot))
        except Exception:  # noqa: BLE001  what ends a worker
            _escapes.append(traceback.format_exc())
            future.set_exception(WorkerDied())
        return future

    def pids(self) -> list[int]:
        return []

    def worked_bytes(self) -> int:
        return 0

    def stop(self) -> None:
        pass


_OPERATIONS = (
    *("look", "read", "entries", "open_source", "create", "write", "rename_new"),
    *("remove", "sync_folder", "facts_of"),
)


def disturbed(disturb: Callable[[], None] | None, after: int) -> type[LocalShare]:
    """Return shares on which something happens between two of a relay's operations."""
    left = [after] if disturb is not None else []

    def stepping(name: str) -> Callable[..., object]:
        method = getattr(LocalShare, name)

        def call(self: LocalShare, *args: object, **named: object) -> object:
            if left:
                left[0] -= 1
                if left[0] <= 0 and disturb is not None:
                    left.clear()
                    disturb()
            return method(self, *args, **named)

        return call

    methods = {name: stepping(name) for name in _OPERATIONS}
    return type("DisturbedShare", (LocalShare,), methods)


def run(
    *words: str, disturb: Callable[[], None] | None = None, after: int = 0
) -> Ended:
    """Run a command of `paxect-batch`; `disturb` once it has taken that many steps."""
    _escapes.clear()
    out, err = io.StringIO(), io.StringIO()
    share = disturbed(disturb, after)
    with (
        mock.patch.object(wiring, "WorkerPool", ThreadPool),
        mock.patch.object(wiring, "LocalShare", share),
        mock.patch.object(locks, "this_machine", _ended_machine),
        # Nobody writes meanwhile: what is not ready now is left to the next run.
        mock.patch.object(closing, "_PATIENCE_SECONDS", 0.0),
        _escapes_kept(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main.main(list(words))
    return Ended(code, out.getvalue(), err.getvalue(), list(_escapes))


def _ended_machine() -> Machine:
    """Return a process of this machine that is over: each run is one of its own."""
    return msgspec.structs.replace(this_machine(), started="before")


@contextlib.contextmanager
def _escapes_kept() -> Iterator[None]:
    def of_thread(args: threading.ExceptHookArgs) -> None:
        _escapes.append("".join(traceback.format_exception(args.exc_value)))

    def unraisable(args: object) -> None:
        value = getattr(args, "exc_value", None)
        _escapes.append("".join(traceback.format_exception(value)))

    before = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = of_thread, unraisable
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = before
