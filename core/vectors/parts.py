"""The parts of a container, put together by hand: right ones and wrong ones.

Nothing here comes from `paxect_core`, so that the vectors are a second witness of
FORMAT.md. Each function takes what a right container would derive, and lets any of it
be replaced.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
RAW_BLOCK, RLE_BLOCK, COMPRESSED_BLOCK, RESERVED_BLOCK = range(4)


def expand(recipe: dict[str, object]) -> bytes:
    """Return the input that a recipe of README.md describes."""
    if "concat" in recipe:
        recipes: list[dict[str, object]] = recipe["concat"]  # type: ignore[assignment]
        return b"".join(map(expand, recipes))
    if "hex" in recipe:
        return bytes.fromhex(str(recipe["hex"]))
    size = int(str(recipe["bytes"]))
    if "repeat" in recipe:
        unit = bytes.fromhex(str(recipe["repeat"]))
        return (unit * (size // len(unit) + 1))[:size]
    make = _random_block if "random" in recipe else _row
    seed = str(recipe.get("random", recipe.get("rows"))).encode()
    parts, count, number = [], 0, 0
    while count < size:
        parts.append(make(seed, number))
        count += len(parts[-1])
        number += 1
    return b"".join(parts)[:size]


def _random_block(seed: bytes, number: int) -> bytes:
    return hashlib.sha256(seed + struct.pack("<Q", number)).digest()


def _row(seed: bytes, number: int) -> bytes:
    word = _random_block(seed, number).hex()[:6]
    return f"{number},customer-{number % 97},{word},shipped\n".encode()


def header(
    *,
    magic: bytes = b"PXC1",
    version: int = 42,
    flags: int | None = None,
    mapping: int = 0,
    level: int = 5,
    frame_bytes: int = 16,
    channels: int = 1,
    reserved: bytes = bytes(6),
) -> bytes:
    """Return 24 header bytes; the flags follow from the channels unless given."""
    if flags is None:
        flags = 2 if channels > 1 else 0
    return struct.pack(
        "<4sHIBbIH6s",
        magic,
        version,
        flags,
        mapping,
        level,
        frame_bytes,
        channels,
        reserved,
    )


def frame(
    raw: bytes,
    *,
    channel: int = 0,
    body: bytes | None = None,
    compressed_bytes: int | None = None,
    raw_bytes: int | None = None,
    crc32: int | None = None,
) -> bytes:
    """Return a frame header and body; the body is a stored zstd frame unless given."""
    body = stored(raw) if body is None else body
    return (
        struct.pack(
            "<HIII",
            channel,
            len(body) if compressed_bytes is None else compressed_bytes,
            len(raw) if raw_bytes is None else raw_bytes,
            zlib.crc32(raw) if crc32 is None else crc32,
        )
        + body
    )


def footer(
    raw: bytes,
    frames: int,
    *,
    raw_bytes: int | None = None,
    digest: bytes | None = None,
) -> bytes:
    """Return 44 footer bytes."""
    return struct.pack(
        "<QI32s",
        len(raw) if raw_bytes is None else raw_bytes,
        frames,
        hashlib.sha256(raw).digest() if digest is None else digest,
    )


def container(*pieces: bytes, channels: int = 1, frame_bytes: int = 16) -> bytes:
    """Return a right container that holds each piece as a stored frame."""
    return b"".join(
        [
            header(channels=channels, frame_bytes=frame_bytes),
            *(frame(raw, channel=i % channels) for i, raw in enumerate(pieces)),
            footer(b"".join(pieces), len(pieces)),
        ]
    )


def stored(raw: bytes) -> bytes:
    """Return a zstd frame that states its size, in one segment, uncompressed."""
    return zstd_frame(block(raw, last=True), content_bytes=len(raw))


def zstd_frame(
    *blocks: bytes,
    content_bytes: int | None = None,
    window: int | None = None,
    size_bytes: int | None = None,
    dictionary: int | None = None,
    descriptor_bits: int = 0,
    checksum: bytes = b"",
) -> bytes:
    """Return a zstd frame after RFC 8878, section 3.1.1.

    Without a `window` (the descriptor byte) it is a single segment. The content size
    takes 8 bytes, or 1 in a single segment where it fits, unless `size_bytes` says so.
    """
    if content_bytes is None:
        size_bytes = 0
    elif size_bytes is None:
        size_bytes = 1 if window is None and content_bytes < 256 else 8
    descriptor = {0: 0, 1: 0, 2: 1, 4: 2, 8: 3}[size_bytes] << 6 | descriptor_bits
    descriptor |= 0x20 if window is None else 0
    descriptor |= 0x04 if checksum else 0
    descriptor |= 0x01 if dictionary is not None else 0
    return b"".join(
        [
            ZSTD_MAGIC,
            bytes([descriptor]),
            b"" if window is None else bytes([window]),
            b"" if dictionary is None else bytes([dictionary]),
            _content_size(content_bytes, size_bytes),
            *blocks,
            checksum,
        ]
    )


def _content_size(content_bytes: int | None, size_bytes: int) -> bytes:
    if content_bytes is None:
        return b""
    bias = 256 if size_bytes == 2 else 0
    return (content_bytes - bias).to_bytes(size_bytes, "little")


def block(
    data: bytes, *, last: bool, kind: int = RAW_BLOCK, size: int | None = None
) -> bytes:
    """Return a zstd block; `size` is that of the data unless given."""
    size = len(data) if size is None else size
    return (size << 3 | kind << 1 | last).to_bytes(3, "little") + data
