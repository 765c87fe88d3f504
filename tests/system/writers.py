"""Produce one file in the way that is named, as programs do that know of no relay.

    python writers.py WAY FOLDER NAME

A file of `SIZE` bytes comes into being in two halves. `half` is printed after the first
one, and the second one waits for a line on standard input; the ways that hold nothing
open meanwhile (`reopen`) do not wait, but go on in small steps.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import sys
import time

SIZE = 300_000
HALF = SIZE // 2
STEPS = 60
STEP_SECONDS = 0.02
"""Between two steps of `reopen`: far below any settle time."""

HOLDING = ("append", "preallocate", "mapping")
"""Ways that keep the file open until it is whole."""
RENAMING = ("rename",)
"""Ways that give the file its name once it is whole."""
WAITING = (*HOLDING, *RENAMING, "marker")
MARKER = ".ready"


def data_of(name: str) -> bytes:
    """Return what a file of that name holds in the end; no part of it is zeros."""
    return hashlib.shake_128(name.encode()).digest(SIZE)


def write(way: str, folder: str, name: str) -> None:
    """Produce the file."""
    path, data = os.path.join(folder, name), data_of(name)
    if way == "append":
        with open(path, "wb", buffering=0) as stream:
            stream.write(data[:HALF])
            wait()
            stream.write(data[HALF:])
    elif way == "preallocate":
        with open(path, "wb", buffering=0) as stream:
            stream.truncate(SIZE)
            stream.write(data[:HALF])
            wait()
            stream.write(data[HALF:])
    elif way == "mapping":
        _map(path, data)
    elif way == "rename":
        with open(f"{path}.part", "wb") as stream:
            stream.write(data[:HALF])
            stream.flush()
            wait()
            stream.write(data[HALF:])
        os.rename(f"{path}.part", path)
    elif way == "marker":
        with open(path, "wb") as stream:
            stream.write(data[:HALF])
        wait()
        with open(path, "ab") as stream:
            stream.write(data[HALF:])
        with open(path + MARKER, "wb"):
            pass
    else:
        assert way == "reopen"
        _reopen(path, data)


def wait() -> None:
    """Say that half is there; go on when told to."""
    print("half", flush=True)
    sys.stdin.readline()


def _map(path: str, data: bytes) -> None:
    """Fill a mapping whose descriptor is closed: nothing but the kernel knows of it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.ftruncate(fd, SIZE)
    with mmap.mmap(fd, SIZE) as mapping:
        os.close(fd)
        mapping[:HALF] = data[:HALF]
        wait()
        mapping[HALF:] = data[HALF:]


def _reopen(path: str, data: bytes) -> None:
    for number in range(STEPS):
        begin, end = SIZE * number // STEPS, SIZE * (number + 1) // STEPS
        with open(path, "ab") as stream:
            stream.write(data[begin:end])
        time.sleep(STEP_SECONDS)


if __name__ == "__main__":
    write(*sys.argv[1:])
