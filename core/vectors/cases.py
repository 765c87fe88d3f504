"""Containers that every reader refuses, each with the failure that it must name.

The expectations are written by hand from FORMAT.md, not taken from a reader. Most
cases change one thing in `BASE`: two channels, frames of 16, 16 and 4 raw bytes, whose
parts begin at the bytes that the constants say.
"""

from __future__ import annotations

from typing import NamedTuple

from parts import (
    footer,
    frame,
    header,
)

A, B, C = b"0123456789abcdef", b"ghijklmnopqrstuv", b"wxyz"
RAW = A + B + C
HEAD = header(channels=2)
FRAME_A, FRAME_B, FRAME_C = frame(A), frame(B, channel=1), frame(C)
FOOT = footer(RAW, 3)
BASE = HEAD + FRAME_A + FRAME_B + FRAME_C + FOOT
AT_A, AT_B, AT_C, AT_FOOT, END = 24, 63, 102, 129, 173
CHANNEL, COMPRESSED, RAW_BYTES, CRC, BODY = 0, 2, 6, 10, 14
"""Offsets of a frame header's fields, and of the body after it."""

COUNT, DIGEST = 8, 12
"""Offsets of footer fields; the raw total is at 0."""

MIB = 1 << 20

BODY_CODES = (
    "bad-body",
    "body-length-mismatch",
    "window-too-large",
    "body-trailing-data",
    "crc-mismatch",
    "digest-mismatch",
)
"""What only a reader that decompresses can find."""

OK = "ok"
SAME = "same"


class Failure(NamedTuple):
    """The failure class, the byte where its rule applies, and the frame concerned."""

    code: str
    offset: int
    frame: int | None = None


class Invalid(NamedTuple):
    """A container, the failure to name, and what a person should know.

    `passed` counts the raw bytes of frames verified before. `inspect` is what a reader
    names that hops over bodies, `lenient` what a lenient one does: `SAME`, `OK` with
    these `raw` bytes, or another failure.
    """

    name: str
    about: str
    data: bytes
    failure: Failure
    passed: int = 0
    inspect: Failure | str = SAME
    lenient: Failure | str = SAME
    raw: bytes = b""
