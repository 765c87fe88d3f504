"""Containers that every reader takes though no encoder of ours makes them."""

from __future__ import annotations

from typing import NamedTuple

import zstandard
from parts import (
    RLE_BLOCK,
    block,
    container,
    footer,
    frame,
    header,
    stored,
    zstd_frame,
)

RAW = b"0123456789abcdef"
KIB = b"x" * 1024


class Unusual(NamedTuple):
    """A container, what it holds, and why it is here."""

    name: str
    about: str
    data: bytes
    raw: bytes


def one_frame(body: bytes, raw: bytes = RAW, *, frame_bytes: int = 16) -> bytes:
    """Return a container of a single frame with that body."""
    return header(frame_bytes=frame_bytes) + frame(raw, body=body) + footer(raw, 1)


def all_unusual() -> list[Unusual]:
    """Return every scenario, in the order of vectors.json."""
    return [*_zstd_frames(), *_unprotected()]


def _zstd_frames() -> list[Unusual]:
    last = block(RAW, last=True)
    checked = zstandard.ZstdCompressor(write_checksum=True).compress(RAW)
    bodies = {
        "stored": ("the zstd frame holds one raw block", stored(RAW)),
        "content-size-unstated": (
            "the zstd frame does not state its content size",
            zstd_frame(last, window=0),
        ),
        "content-size-in-8-bytes": (
            "the content size may take more bytes than it needs",
            zstd_frame(last, content_bytes=16, size_bytes=8),
        ),
        "window-at-limit": (
            "a window of 1024 bytes is allowed for every frame size",
            zstd_frame(last, window=0, content_bytes=16),
        ),
        "checksum": ("the zstd frame has a right checksum of its own", checked),
        "two-blocks": (
            "two blocks in one zstd frame",
            zstd_frame(
                block(RAW[:5], last=False),
                block(RAW[5:], last=True),
                content_bytes=16,
            ),
        ),
        "empty-last-block": (
            "an empty block ends the zstd frame",
            zstd_frame(block(RAW, last=False), block(b"", last=True), content_bytes=16),
        ),
        "dictionary-id-0": (
            "a dictionary ID of 0 says that there is none",
            zstd_frame(last, content_bytes=16, dictionary=0),
        ),
        "unused-bit": (
            "bit 4 of the descriptor means nothing and is not looked at",
            zstd_frame(last, content_bytes=16, descriptor_bits=0x10),
        ),
    }
    found = [
        Unusual(f"zstd-{name}", about, one_frame(body), RAW)
        for name, (about, body) in bodies.items()
    ]
    run = zstd_frame(
        block(b"x", last=True, kind=RLE_BLOCK, size=1024), window=0, content_bytes=1024
    )
    window = zstd_frame(block(KIB, last=True), window=10 << 3, content_bytes=len(KIB))
    return [
        *found,
        Unusual(
            "zstd-run-block",
            "one byte repeated, in a run-length block",
            one_frame(run, KIB, frame_bytes=1024),
            KIB,
        ),
        Unusual(
            "zstd-window-of-frame-size",
            "a window of 1 MiB in a container whose frames may be as long",
            one_frame(window, KIB, frame_bytes=1 << 20),
            KIB,
        ),
    ]


def _unprotected() -> list[Unusual]:
    right = container(RAW, RAW[:3])
    single = frame(RAW) + footer(RAW, 1)
    return [
        Unusual(
            "metadata-changed",
            "level, mapping and verify flag are not protected",
            header(level=-77, mapping=1, flags=1) + right[24:],
            RAW + RAW[:3],
        ),
        Unusual(
            "frame-size-changed",
            "the frame size of a single frame shows only as a maximum",
            header(frame_bytes=1000) + single,
            RAW,
        ),
        Unusual(
            "channels-changed",
            "the channels show only from the second frame on",
            header(channels=8) + single,
            RAW,
        ),
        Unusual(
            "empty-all-maxima",
            "without frames, any frame size and channels",
            header(channels=8, frame_bytes=64 << 20, level=22) + footer(b"", 0),
            b"",
        ),
    ]
