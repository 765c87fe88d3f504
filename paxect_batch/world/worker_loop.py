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
from typing import IO, NoReturn

import msgspec

from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.world.messages import Done, Greeting, Ready, Work, receive, send
from paxect_batch.world.messages import to_worker as decoder

EXIT_COORDINATOR_GONE = 0
EXIT_BAD_MESSAGE = 76

_PR_SET_PDEATHSIG = 1

Handle = Callable[[Lot], tuple[Outcome, ...]]


def serve(
    input: IO[bytes],  # noqa: A002
    output: IO[bytes],
    prepare: Callable[[dict[Root, bytes]], Handle],
    *,
    leave: Callable[[int], NoReturn] = os._exit,
) -> None:
    """Do lots as they come. Returns never but by `leave`, or by an error of `handle`.

    `prepare` makes what handles lots from the roots of the share.
    """
    greeting = receive(input, decoder)
    if not isinstance(greeting, Greeting):
        leave(EXIT_COORDINATOR_GONE if greeting is None else EXIT_BAD_MESSAGE)
    _die_with(greeting.coordinator, leave)
    handle = prepare({Root(name): path for name, path in greeting.roots.items()})
    lots: queue.SimpleQueue[Lot] = queue.SimpleQueue()
    watcher = threading.Thread(
        target=_watch, args=(input, lots, leave), name="watch-coordinator", daemon=True
    )
    watcher.start()
    send(output, Ready())
    while True:
        lot = lots.get()
        done = Done(lot.number, handle(lot))
        try:
            send(output, done)
        except OSError:
            leave(EXIT_COORDINATOR_GONE)


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
    stream: IO[bytes], lots: queue.SimpleQueue[Lot], leave: Callable[[int], NoReturn]
) -> None:
    while True:
        try:
            message = receive(stream, decoder)
        except (OSError, msgspec.DecodeError):
            leave(EXIT_BAD_MESSAGE)
        if message is None:
            leave(EXIT_COORDINATOR_GONE)
        if isinstance(message, Work):
            lots.put(message.lot)


def _die_with(coordinator: int, leave: Callable[[int], NoReturn]) -> None:
    """Have Linux end this process with the thread of the coordinator that started it.

    The watcher does the same everywhere, but not while this process is stopped.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != coordinator:
        leave(EXIT_COORDINATOR_GONE)
