"""Containers, streams and commands that the tests of the engine share."""

import hashlib
import itertools
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator

import zstandard
from hypothesis import strategies as st

from paxect_core.errors import PaxectError
from paxect_core.wire import Settings

_READY = os.open(os.devnull, os.O_RDWR)
"""A descriptor that is always ready, for streams that say they are not."""


class Chopped:
    """A source that gives its bytes in these sizes, over and over; 0 is "not ready"."""

    def __init__(self, data: bytes, sizes: Iterable[int]) -> None:
        self._data = memoryview(data)
        self._sizes = itertools.cycle(sizes)

    def read(self, size: int, /) -> bytes | None:
        count = next(self._sizes)
        if count == 0:
            return None
        data = bytes(self._data[: min(count, size)])
        self._data = self._data[len(data) :]
        return data

    def fileno(self) -> int:
        return _READY


class ChoppedSink:
    """A sink that takes at most these sizes at once, over and over; 0 is "full"."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sizes = itertools.cycle(sizes)
        self.data = bytearray()

    def write(self, data: bytes | memoryview, /) -> int | None:
        size = next(self._sizes)
        if size == 0:
            return None
        self.data += data[:size]
        return min(size, len(data))

    def fileno(self) -> int:
        return _READY


class Refusing:
    """A stream of which every use is an OSError."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def read(self, _size: int, /) -> bytes:
        raise self._error

    def write(self, _data: bytes | memoryview, /) -> int:
        raise self._error


class Endless:
    """A source of so many bytes, made as they are read."""

    def __init__(self, total_bytes: int, block: bytes) -> None:
        self.left = total_bytes
        self._block = block

    def read(self, size: int, /) -> bytes:
        data = self._block[: min(size, self.left)]
        self.left -= len(data)
        return data


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return hashlib.shake_128(seed.to_bytes(8, "big")).digest(size)


def lines(size: int) -> bytes:
    """Text that compresses well."""
    rows = b"".join(b"%d,%d,relay\n" % (i, i * i) for i in range(size // 12 + 1))
    return rows[:size]


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def reference_frames(pieces: Iterable[bytes], settings: Settings) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=settings.level)
    for i, raw in enumerate(pieces):
        body = compressor.compress(raw)
        crc = zlib.crc32(raw)
        yield struct.pack("<HIII", i % settings.channels, len(body), len(raw), crc)
        yield body


def reference_container(
    data: bytes, settings: Settings, *, pieces: list[bytes] | None = None
) -> bytes:
    """Return the container, made after the description of the format alone."""
    pieces = cut(data, settings.frame_bytes) if pieces is None else pieces
    flags = settings.verify | 2 * (settings.channels > 1)
    header = struct.pack(
        "<4sHIBbIH6x",
        b"PXC1",
        42,
        flags,
        settings.mapping == "u16",
        settings.level,
        settings.frame_bytes,
        settings.channels,
    )
    digest = hashlib.sha256(data).digest()
    footer = struct.pack("<QI32s", len(data), len(pieces), digest)
    return b"".join((header, *reference_frames(pieces, settings), footer))


def describe(error: PaxectError) -> tuple[object, ...]:
    """What must be the same of an error, however its container was read."""
    fields = ("offset", "frame", "raw_bytes_passed")
    return (type(error), *(getattr(error, name, None) for name in fields))


chunk_sizes = st.lists(st.integers(0, 70), min_size=1, max_size=6).filter(any)
threads = st.integers(1, 4)
settings = st.builds(
    Settings,
    level=st.sampled_from([-128, -1, 0, 1, 3, 5, 9, 19, 22]),
    channels=st.integers(1, 8),
    frame_bytes=st.integers(1, 200),
    mapping=st.sampled_from(["virtual", "u16"]),
    verify=st.booleans(),
)
raw_data = st.one_of(
    st.binary(max_size=300),
    st.builds(noise, st.integers(0, 1500), st.integers(0, 9)),
    st.builds(lines, st.integers(0, 1500)),
)


def python(
    code: str,
    *arguments: str | bytes,
    stdin: bytes = b"",
    environ: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run Python code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        input=stdin,
        capture_output=True,
        env=os.environ | (environ or {}),
        check=False,
    )


COMMAND = (
    "import signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from paxect_core.cli import main\n"
    "sys.exit(main())\n"
)
"""`paxect-core`, with Ctrl-C at work even where the tests run in the background."""


def command(
    *words: str | bytes, stdin: bytes = b"", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `paxect-core` in a process of its own."""
    done = python(COMMAND, *words, stdin=stdin, environ=environ)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done
