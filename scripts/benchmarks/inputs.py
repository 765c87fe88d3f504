"""The inputs, written by the benchmark itself.

`csv` and `random` are the same bytes everywhere. `libraries` is made of what the
machine has; its digest is in the JSON.
"""

from __future__ import annotations

import os
import random
import sys
import sysconfig
import tarfile
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

NAMES = ("csv", "libraries", "random")
_ROWS = 1 << 16
_LIBRARY_FOLDERS = ("/usr/lib", "/usr/local/lib", "/lib", sys.prefix, sys.base_prefix)
_LIBRARY_ENDINGS = (".so", ".dylib", ".dll", ".pyd")


def write(name: str, path: Path, size: int) -> str:
    """Write that input with exactly that size; return what it is made of."""
    makers: dict[str, Callable[[BinaryIO, int], str]] = {
        "csv": _write_csv,
        "libraries": _write_libraries,
        "random": _write_random,
    }
    with open(path, "wb") as stream:
        contents = makers[name](stream, size)
        stream.truncate(size)
    return contents


def _write_csv(stream: BinaryIO, size: int) -> str:
    """Rows that zstd finds about as hard as measured data: 2.6 to 1 at level 3."""
    chance = random.Random(20260101)
    number = 0
    while stream.tell() < size:
        stream.write("".join(_rows(chance, number)).encode())
        number += _ROWS
    return "rows of number, time, sensor, hexadecimal reading, state"


def _rows(chance: random.Random, number: int) -> Iterator[str]:
    days = [
        f"2026-{month:02}-{day:02}T" for month in range(1, 13) for day in range(1, 29)
    ]
    minutes = [f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
    seconds = [f"{second:02}Z,sensor-" for second in range(60)]
    sensors = [f"{sensor:04}," for sensor in range(64)]
    states = (",ok\n", ",ok\n", ",warn\n", ",fail\n")
    readings = chance.randbytes(12 * _ROWS).hex()
    picks = array("I", chance.randbytes(8 * _ROWS))
    if sys.byteorder == "big":
        picks.byteswap()
    for row in range(_ROWS):
        pick, other = picks[2 * row], picks[2 * row + 1]
        yield (
            f"{number + row},{days[pick % 336]}{minutes[(pick >> 9) % 1440]}"
            f"{seconds[other % 60]}{sensors[(other >> 8) & 63]}"
            f"{readings[24 * row : 24 * row + 24]}{states[other >> 30]}"
        )


def _write_random(stream: BinaryIO, size: int) -> str:
    chance = random.Random(20260102)
    while stream.tell() < size:
        stream.write(chance.randbytes(min(4 << 20, size - stream.tell())))
    return "random bytes, which do not compress"


def _write_libraries(stream: BinaryIO, size: int) -> str:
    files = list(_libraries())
    kind = "shared libraries"
    if not files:
        files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
        kind = "modules of the standard library, as no shared library was found"
    used = 0
    # Repeating begins far beyond any window that these levels look back.
    while stream.tell() < size:
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            for path in files:
                _add(archive, path)
                used += 1
                if stream.tell() >= size:
                    break
    return f"tar of {used} {kind}" + (", repeating" if used > len(files) else "")


def _libraries() -> Iterator[Path]:
    seen = set()
    for top in _LIBRARY_FOLDERS:
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                parts = name.partition(".so.")
                if not (name.endswith(_LIBRARY_ENDINGS) or parts[1]):
                    continue
                real = os.path.realpath(path)
                if real not in seen and os.path.isfile(real):
                    seen.add(real)
                    yield Path(real)


def _add(archive: tarfile.TarFile, path: Path) -> None:
    try:
        stream = open(path, "rb")
    except OSError:  # not ours to read
        return
    with stream:
        entry = tarfile.TarInfo(path.name)
        entry.size = os.fstat(stream.fileno()).st_size
        archive.addfile(entry, stream)
