"""Containers that every reader takes, and every encoder makes of the same input."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import NamedTuple

import zstandard

ROWS = "rows"
MIB = 1 << 20


class Valid(NamedTuple):
    """One input with settings, and why it is here."""

    name: str
    about: str
    recipe: dict[str, object]
    settings: dict[str, object]
    channels_option: str = ""


def settings(
    *,
    level: int = 5,
    channels: int = 1,
    frame_bytes: int = 64,
    mapping: str = "virtual",
    verify: bool = False,
) -> dict[str, object]:
    """Return the settings as vectors.json has them."""
    return {
        "level": level,
        "channels": channels,
        "frame_bytes": frame_bytes,
        "mapping": mapping,
        "verify": verify,
    }


def rows(size: int) -> dict[str, object]:
    """Return the recipe of that many bytes of compressible text."""
    return {ROWS: ROWS, "bytes": size}


def noise(size: int) -> dict[str, object]:
    """Return the recipe of that many incompressible bytes."""
    return {"random": "noise", "bytes": size}


def encode(raw: bytes, chosen: dict[str, object]) -> bytes:
    """Return the container, made in the plainest way there is."""
    level, channels, size = (
        int(str(chosen[key])) for key in ("level", "channels", "frame_bytes")
    )
    flags = (1 if chosen["verify"] else 0) | (2 if channels > 1 else 0)
    mapping = ("virtual", "u16").index(str(chosen["mapping"]))
    out = [
        struct.pack("<4sHIBbIH6x", b"PXC1", 42, flags, mapping, level, size, channels)
    ]
    frames = 0
    for start in range(0, len(raw), size):
        piece = raw[start : start + size]
        body = zstandard.ZstdCompressor(level=level).compress(piece)
        out.append(
            struct.pack(
                "<HIII", frames % channels, len(body), len(piece), zlib.crc32(piece)
            )
        )
        out.append(body)
        frames += 1
    out.append(struct.pack("<QI32s", len(raw), frames, hashlib.sha256(raw).digest()))
    return b"".join(out)


def all_valid() -> list[Valid]:
    """Return every scenario, in the order of vectors.json."""
    return [
        *_examples(),
        *_edges(),
        *_channels(),
        *_header_fields(),
        *_levels(),
        *_content(),
        *_default_frames(),
    ]


def _examples() -> list[Valid]:
    return [
        Valid(
            "example-empty",
            "FORMAT.md, example 1",
            {"hex": ""},
            settings(frame_bytes=MIB),
        ),
        Valid(
            "example-one-byte",
            "FORMAT.md, example 2",
            {"hex": "41"},
            settings(frame_bytes=MIB),
        ),
        Valid(
            "example-two-frames",
            "FORMAT.md, example 3: two channels, the second frame short",
            {"hex": b"hello, world".hex()},
            settings(frame_bytes=8, channels=2, level=3, mapping="u16", verify=True),
        ),
    ]


def _edges() -> list[Valid]:
    sizes = {
        0: "no frames at all",
        1: "a single byte",
        63: "one byte less than a frame",
        64: "exactly one frame: no empty frame follows",
        65: "one byte more than a frame",
        128: "exactly two frames",
        129: "two frames and a byte",
        1000: "sixteen frames, the last one short",
    }
    return [
        *(
            Valid(f"size-{size}", about, rows(size), settings())
            for size, about in sizes.items()
        ),
        Valid(
            "frame-size-1", "the smallest frame size", rows(9), settings(frame_bytes=1)
        ),
        Valid(
            "frame-size-7",
            "143 frames of an odd size",
            rows(1000),
            settings(frame_bytes=7),
        ),
        Valid(
            "frame-size-odd",
            "a frame size that is no power of two",
            rows(3001),
            settings(frame_bytes=1000),
        ),
        Valid(
            "frame-size-64-mib",
            "the largest frame size in the header, for a single byte",
            {"hex": "00"},
            settings(frame_bytes=64 * MIB),
        ),
        Valid(
            "frame-of-64-mib",
            "a full frame of the largest size, highly compressible",
            {"repeat": "00", "bytes": 64 * MIB},
            settings(frame_bytes=64 * MIB, level=1),
        ),
    ]


def _channels() -> list[Valid]:
    return [
        *(
            Valid(
                f"channels-{n}",
                "ten frames, turn by turn",
                rows(640),
                settings(channels=n),
            )
            for n in range(1, 9)
        ),
        Valid(
            "channels-auto",
            "`auto` is 4 on every machine",
            rows(640),
            settings(channels=4),
            "auto",
        ),
        Valid(
            "channels-8-empty", "channels without frames", rows(0), settings(channels=8)
        ),
        Valid(
            "channels-3-one-frame",
            "fewer frames than channels",
            rows(64),
            settings(channels=3),
        ),
    ]


def _header_fields() -> list[Valid]:
    return [
        Valid("mapping-u16", "mapping 1", rows(100), settings(mapping="u16")),
        Valid("verify", "flag bit 0", rows(100), settings(verify=True)),
        Valid(
            "verify-empty", "flag bit 0 without data", rows(0), settings(verify=True)
        ),
        Valid(
            "all-header-fields",
            "every field away from its default",
            rows(100),
            settings(level=-1, channels=2, frame_bytes=33, mapping="u16", verify=True),
        ),
    ]


def _levels() -> list[Valid]:
    return [
        *(
            Valid(
                f"level-{n}".replace("--", "-minus-"),
                "two frames of text; level 0 is libzstd's default, level 3"
                if n == 0
                else "two frames of text",
                rows(6000),
                settings(level=n, frame_bytes=4096),
            )
            for n in (-128, -50, *range(-7, 23))
        ),
        *(
            Valid(
                f"level-{n}-large".replace("--", "-minus-"),
                "three frames of text, where match finders differ from small ones",
                rows(300_000),
                settings(level=n, frame_bytes=128 << 10),
            )
            for n in (-5, *range(1, 23))
        ),
    ]


def _content() -> list[Valid]:
    mixed: dict[str, object] = {
        "concat": [rows(600_000), noise(300_000), {"repeat": "00", "bytes": 500_000}]
    }
    return [
        *(
            Valid(
                f"incompressible-level-{n}",
                "zstd stores what it cannot compress",
                noise(3000),
                settings(level=n, frame_bytes=2048),
            )
            for n in (1, 5, 19)
        ),
        Valid(
            "incompressible-large",
            "frames longer than a zstd block, stored",
            noise(700_000),
            settings(frame_bytes=256 << 10, channels=2),
        ),
        Valid(
            "zeros",
            "the highest ratio there is",
            {"repeat": "00", "bytes": 3 * MIB},
            settings(frame_bytes=MIB),
        ),
        Valid(
            "pattern",
            "matches across the zstd blocks of a frame",
            {"repeat": bytes(range(251)).hex(), "bytes": 400_000},
            settings(frame_bytes=300_000, level=9),
        ),
        Valid(
            "mixed",
            "text, noise and zeros over three channels",
            mixed,
            settings(frame_bytes=256 << 10, channels=3, level=7),
        ),
    ]


def _default_frames() -> list[Valid]:
    return [
        *(
            Valid(
                f"default-{size}",
                "around one frame of the default size",
                rows(size),
                settings(frame_bytes=MIB),
            )
            for size in (MIB - 1, MIB, MIB + 1)
        ),
        *(
            Valid(
                f"default-level-{n}",
                "three frames of the default size",
                rows(2_500_000),
                settings(frame_bytes=MIB, level=n),
            )
            for n in (1, 3, 5, 9)
        ),
        Valid(
            "default-level-19",
            "two frames of the default size at a slow level",
            rows(MIB + 100_000),
            settings(frame_bytes=MIB, level=19),
        ),
    ]
