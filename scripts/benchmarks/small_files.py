"""Many small files, as they are in life: small ones are more than large ones."""

from __future__ import annotations

import random
from pathlib import Path

BYTES_MIN, BYTES_MAX = 1 << 10, 1 << 16
BYTES_TYPICAL = (BYTES_MAX - BYTES_MIN) // 4
"""About what one of them has."""
IN_A_FOLDER = 57


def write_small_files(place: Path, count: int) -> int:
    """Write that many below a folder, the same each time; return their bytes."""
    chance = random.Random(20260103)
    words = [f"{chance.random():.6f}" for _ in range(4096)]
    text = "\n".join(",".join(chance.choices(words, k=6)) for _ in range(8192)).encode()
    written = 0
    for number in range(count):
        folder = place / f"{number // IN_A_FOLDER:05}"
        folder.mkdir(parents=True, exist_ok=True)
        size = int(BYTES_MIN * (BYTES_MAX / BYTES_MIN) ** chance.random())
        begin = chance.randrange(len(text) - size)
        (folder / f"{number:06}.csv").write_bytes(text[begin : begin + size])
        written += size
    return written
