"""A worker for the pool's tests; a lot's first source says what it is to do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome, Result
from paxect_batch.world import worker_loop
from paxect_batch.world.messages import Done, send


def prepare(roots: dict[Root, bytes]) -> worker_loop.Handle:
    folder = os.fsdecode(roots[Root.STATE])

    def handle(lot: Lot, hear: Callable[[int], None]) -> tuple[Outcome, ...]:
        task = lot.tasks[0]
        what, _, argument = task.source.path.partition(" ")
        note = os.path.join(folder, task.stage.path)
        if what == "work":
            hear(int(argument))
            what = "until"
        ACTS[what](note, argument)
        return (Outcome(Result.STAGED, detail=task.source.path),)

    return handle


def die(_note: str, _argument: str) -> None:
    os.abort()


def hang(note: str, _argument: str) -> None:
    tell(note)
    time.sleep(3600)


def until(note: str, _argument: str) -> None:
    tell(note)
    while not os.path.exists(f"{note}.end"):
        time.sleep(0.005)


def compress(note: str, _argument: str) -> None:
    import zstandard

    tell(note)
    data = os.urandom(1 << 22)
    while True:
        zstandard.ZstdCompressor(19).compress(data)


def print_garbage(_note: str, _argument: str) -> None:
    print("garbage", flush=True)
    os.write(1, b"more garbage")
    os.system("echo and more")


def answer_garbage(_note: str, _argument: str) -> None:
    output.write(b"\x04\x00\x00\x00junk")
    output.flush()
    time.sleep(3600)


def answer_for_other_lot(_note: str, _argument: str) -> None:
    send(output, Done(4711, ()))
    time.sleep(3600)


def close(_note: str, _argument: str) -> None:
    os.close(output.fileno())
    time.sleep(3600)


def leave(_note: str, argument: str) -> None:
    os._exit(int(argument))


ACTS = {
    "echo": lambda _note, _argument: None,
    "die": die,
    "hang": hang,
    "until": until,
    "compress": compress,
    "print": print_garbage,
    "garbage": answer_garbage,
    "other": answer_for_other_lot,
    "close": close,
    "exit": leave,
}


def tell(path: str) -> None:
    with open(f"{path}.new", "w") as stream:
        stream.write(str(os.getpid()))
    os.replace(f"{path}.new", path)


worker_loop.ignore_signals()
input_pipe, output = worker_loop.take_pipes()
sys.stdout.write("printed before anything else\n")
worker_loop.serve(input_pipe, output, prepare)
