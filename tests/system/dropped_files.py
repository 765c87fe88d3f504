"""Files to drop: names that file systems allow, contents of every kind, from a seed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence

MIX = ((0, 1), (1, 200), (200, 8 << 10), (8 << 10, 64 << 10))
"""Sizes of small files, from and to."""


def mixed(
    dice: random.Random, count: int, *, large: Sequence[tuple[int, int]] = ()
) -> Iterator[tuple[bytes, bytes]]:
    """Give names and contents; `large` holds sizes from and to, one for each more file."""
    for number in range(count):
        yield odd_name(dice, number), content(dice, dice.randrange(*dice.choice(MIX)))
    for number, bounds in enumerate(large):
        yield b"large/%d.bin" % number, content(dice, dice.randrange(*bounds))


def content(dice: random.Random, size: int) -> bytes:
    """Return bytes that compress well, badly, or not at all."""
    kind = dice.randrange(3)
    if kind == 0:
        return dice.randbytes(size)
    word = dice.randbytes(dice.randrange(1, 40))
    if kind == 1:
        return (word * (size // len(word) + 1))[:size]
    row = b"%d,%s,total\n" % (dice.randrange(10**6), word.hex().encode())
    return (row * (size // len(row) + 1))[:size]


_ODD = (
    b"plain.txt",
    b"with space.csv",
    b"line\nbreak",
    b"tab\there\r",
    "emoji \N{SNAKE}.json".encode(),
    "e\N{COMBINING ACUTE ACCENT}".encode(),
    b"not utf-8 \xff\xfe",
    b"back\\slash\\x41",
    b"-rf",
    b"quote'\"$(`",
    b"%s%d{}",
    b"no suffix",
    b"many.dots.in.it.tar.gz",
)
_FOLDERS = (
    b"",
    b"",
    b"a",
    b"a/b",
    b"c d",
    "\N{GREEK SMALL LETTER ALPHA}/\N{SNAKE}".encode(),
    b"x\xff/y",
    b"1/2/3/4/5",
)


def odd_name(dice: random.Random, number: int) -> bytes:
    """Return a path that no other number has."""
    name = b"%d %s" % (number, dice.choice(_ODD))
    if dice.randrange(40) == 0:
        name = (name + b"n" * 250)[: 255 - len(b".freq")]
    return os.path.join(dice.choice(_FOLDERS), name)
