"""Files to be dropped, told by a seed alone: guests make them, this machine knows them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

SIZES = ((0, 1), (1, 200), (200, 4 << 10), (200, 4 << 10), (4 << 10, 32 << 10))
LARGE_EVERY = 100
LARGE_BYTES = (1 << 20, 3 << 19)
_FOLDERS = ("", "", "daily", "daily/2026", "with space", "b")
_ENDINGS = ("txt", "csv", "json", "bin", "tar.gz")


def files(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Give path and content of each file; no two paths differ in case alone."""
    for number in range(count):
        dice = random.Random(f"{seed}/{number}")
        folder = dice.choice(_FOLDERS)
        name = f"{number:05d}.{dice.choice(_ENDINGS)}"
        large = number % LARGE_EVERY == LARGE_EVERY // 2
        bounds = LARGE_BYTES if large else dice.choice(SIZES)
        yield (f"{folder}/{name}" if folder else name), _content(dice, bounds)


def digests(seed: int, count: int) -> dict[str, str]:
    """Return the SHA-256 of each file by its path."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in files(seed, count)}


def _content(dice: random.Random, bounds: tuple[int, int]) -> bytes:
    size = dice.randrange(*bounds)
    if dice.randrange(3) == 0:
        return dice.randbytes(size)
    row = b"%d,%s,total\n" % (dice.randrange(10**6), dice.randbytes(9).hex().encode())
    return (row * (size // len(row) + 1))[:size]
