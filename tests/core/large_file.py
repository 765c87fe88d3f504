"""Send any amount of data through encode and decode at once, and tell peak memory.

    python tests/core/large_file.py --mib 6144 --level 3 --threads 2

The data is made as it is read, half of it text and half of it noise, and is checked as
it comes out; nothing is stored. With --files the two halves run one after the other,
each in a process of its own, by way of files in the folder that is named; the raw file
is sparse but for a part, and all files are removed at the end.
"""

import argparse
import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

import paxect_core
from paxect_core.wire import Settings

MIB = 1 << 20


class Made:
    """A source of so many bytes, no two MiB of which are the same."""

    def __init__(self, total_bytes: int) -> None:
        self.left = total_bytes
        self.digest = hashlib.sha256()
        self._blocks = blocks()

    def read(self, size: int, /) -> bytes:
        size = min(size, self.left, MIB)
        data = next(self._blocks)[:size] if size else b""
        self.left -= len(data)
        self.digest.update(data)
        return data


def blocks() -> Iterator[bytes]:
    rows = b"".join(b"%d,%d,relay\n" % (i, i * i) for i in range(MIB // 24))
    text = rows.ljust(MIB // 2, b"\n")[: MIB // 2]
    noise = hashlib.shake_128(b"noise").digest(MIB // 2)
    number = 0
    while True:
        yield b"%020d" % number + text[:-20] + noise
        number += 1


class Checked:
    """A sink that keeps the digest only."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes | memoryview, /) -> int:
        self.digest.update(data)
        return len(data)


def peak_mib() -> float:
    """Peak resident memory of this process, as Linux tells it."""
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def through(total_bytes: int, *, level: int, threads: int) -> None:
    """Encode and decode in one process, with a pipe in between."""
    source, sink = Made(total_bytes), Checked()
    read_end, write_end = os.pipe()

    def encode() -> None:
        with open(write_end, "wb", buffering=0) as writer:
            paxect_core.encode(source, writer, Settings(level=level), threads=threads)

    encoder = threading.Thread(target=encode)
    encoder.start()
    with open(read_end, "rb", buffering=0) as reader:
        result = paxect_core.decode(reader, sink, threads=threads)
    encoder.join()
    assert result.raw_bytes == total_bytes
    assert sink.digest.digest() == source.digest.digest()


STEP = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from large_file import peak_mib
import paxect_core
step, source, target, level, threads = sys.argv[2:]
start = time.perf_counter()
if step == "encode":
    settings = paxect_core.Settings(level=int(level))
    result = paxect_core.encode_file(source, target, settings, threads=int(threads))
else:
    result = paxect_core.decode_file(source, target, threads=int(threads))
seconds = time.perf_counter() - start
print(f"{step}: {result.raw_bytes >> 20} MiB in {seconds:.1f} s, "
      f"peak {peak_mib():.0f} MiB, raw SHA-256 {result.raw_sha256}")
"""


def by_files(total_bytes: int, parent: str, *, level: int, threads: int) -> None:
    """Encode and decode files, each in a process of its own."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        raw, container, again = (
            os.path.join(folder, n) for n in ("raw", "freq", "out")
        )
        with open(raw, "wb") as file:
            file.writelines(itertools.islice(blocks(), 64))
            file.truncate(total_bytes)
        for step, source, target in (
            ("encode", raw, container),
            ("decode", container, again),
        ):
            words = [step, source, target, str(level), str(threads)]
            here = os.path.dirname(os.path.abspath(__file__))
            subprocess.run([sys.executable, "-c", STEP, here, *words], check=True)
            os.unlink(source)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=6144)
    parser.add_argument("--level", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--files", metavar="FOLDER")
    chosen = parser.parse_args()
    options = {"level": chosen.level, "threads": chosen.threads}
    if chosen.files:
        by_files(chosen.mib * MIB, chosen.files, **options)
        return
    start = time.perf_counter()
    through(chosen.mib * MIB, **options)
    seconds = time.perf_counter() - start
    print(
        f"encode and decode together: {chosen.mib} MiB at level {chosen.level}, "
        f"{chosen.threads} threads each, in {seconds:.1f} s, peak {peak_mib():.0f} MiB"
    )


if __name__ == "__main__":
    main()
