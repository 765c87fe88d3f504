"""A worker's side of the pool: one lot after the other, until the coordinator ends.

The pipe from the coordinator is watched all the time, so that a worker is gone at once
when the coordinator is, even in the middle of a long file. Whatever else prints to
standard output lands on standard error.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO

import msgspec

from paxect_batch.model.errors import NoWorkers
from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.world.messages import (
    Done,
    FromWorker,
    Greeting,
    Ready,
    Work,
    Working,
    receive,
    send,
)
from paxect_batch.world.messages import to_worker as decoder
from paxect_batch.world.threads import start_thread
from paxect_core import CODEC_VERSION

EXIT_COORDINATOR_GONE = 0
EXIT_NO_THREAD = 75
EXIT_BAD_MESSAGE = 76

_PR_SET_PDEATHSIG = 1

Handle = Callable[[Lot, Callable[[int], None]], tuple[Outcome, ...]]
"""Does a lot, and tells how many raw bytes of it were worked on."""


def serve(
    input: IO[bytes],  # noqa: A002
    output: IO[bytes],
    prepare: Callable[[dict[Root, bytes]], Handle],
    *,
    leave: Callable[[int], object] = os._exit,
) -> None:
    """Do lots as they come, until the coordinator is gone; then `leave` at once.

    `prepare` makes what handles lots from the roots of the share. What a handler does
    not handle itself ends the worker.
    """
    greeting = receive(input, decoder)
    if not isinstance(greeting, Greeting):
        leave(EXIT_COORDINATOR_GONE if greeting is None else EXIT_BAD_MESSAGE)
        return
    if not _dies_with(greeting.coordinator):
        leave(EXIT_COORDINATOR_GONE)
        return
    handle = prepare({Root(name): path for name, path in greeting.roots.items()})
    lots: queue.SimpleQueue[Lot | None] = queue.SimpleQueue()
    watcher = threading.Thread(
        target=_watch, args=(input, lots, leave), name="watch-coordinator", daemon=True
    )
    try:
        start_thread(watcher.start, "for a worker")
    except NoWorkers as error:
        # The coordinator says what becomes of what this was to do.
        sys.stderr.write(f"worker: {error.message}\n")
        leave(EXIT_NO_THREAD)
        return
    send(output, Ready(CODEC_VERSION))

    def answers(message: FromWorker) -> bool:
        try:
            send(output, message)
        except OSError:
            leave(EXIT_COORDINATOR_GONE)
            return False
        return True

    def tell(worked_bytes: int) -> None:
        answers(Working(worked_bytes))

    while (lot := lots.get()) is not None:
        if not answers(Done(lot.number, handle(lot, tell))):
            return


def take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return standard input and output for messages only.

    In their place, input is empty, and output is standard error.
    """
    pipes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return pipes


def ignore_signals() -> None:
    """Leave it to the coordinator what Ctrl-C means, or a whole group's SIGTERM."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN)


def _watch(
    stream: IO[bytes],
    lots: queue.SimpleQueue[Lot | None],
    leave: Callable[[int], object],
) -> None:
    leave(_read_lots(stream, lots))
    lots.put(None)


def _read_lots(stream: IO[bytes], lots: queue.SimpleQueue[Lot | None]) -> int:
    """Pass lots on until there are no more; return the code to leave with."""
    try:
        while (message := receive(stream, decoder)) is not None:
            if isinstance(message, Work):
                lots.put(message.lot)
    except (OSError, msgspec.DecodeError):
        return EXIT_BAD_MESSAGE
    return EXIT_COORDINATOR_GONE


def _dies_with(coordinator: int) -> bool:
    """Have Linux end this process with the thread of the coordinator that started it.

    The watcher does the same everywhere, but not while this process is stopped. False
    if the coordinator is gone already.
    """
    if sys.platform != "linux":
        return True
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == coordinator
