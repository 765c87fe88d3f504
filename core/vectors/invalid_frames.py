"""Frame headers that every reader refuses: channels and lengths."""

from __future__ import annotations

from cases import (
    AT_A,
    AT_B,
    AT_C,
    BODY,
    COMPRESSED,
    FOOT,
    FRAME_A,
    FRAME_B,
    FRAME_C,
    HEAD,
    MIB,
    RAW_BYTES,
    A,
    B,
    C,
    Failure,
    Invalid,
)
from parts import block, footer, frame, header, stored, zstd_frame


def bad_channels() -> list[Invalid]:
    """Return frames in channels where they do not belong."""
    single = header() + frame(A, channel=1) + footer(A, 1)
    return [
        Invalid(
            "channel-beyond",
            "channel 2 where the header has two",
            HEAD + FRAME_A + frame(B, channel=2) + FRAME_C + FOOT,
            Failure("channel-out-of-range", AT_B, 1),
            16,
        ),
        Invalid(
            "channel-65535",
            "the largest channel number",
            HEAD + FRAME_A + frame(B, channel=65535) + FRAME_C + FOOT,
            Failure("channel-out-of-range", AT_B, 1),
            16,
        ),
        Invalid(
            "channel-1-of-one",
            "channel 1 where the header has only channel 0",
            single,
            Failure("channel-out-of-range", AT_A, 0),
        ),
        Invalid(
            "channel-first-out-of-turn",
            "frame 0 in channel 1",
            HEAD + frame(A, channel=1) + FRAME_B + FRAME_C + FOOT,
            Failure("channel-out-of-turn", AT_A, 0),
        ),
        Invalid(
            "channel-repeated",
            "frame 1 in channel 0 again",
            HEAD + FRAME_A + frame(B) + FRAME_C + FOOT,
            Failure("channel-out-of-turn", AT_B, 1),
            16,
        ),
        Invalid(
            "frames-exchanged",
            "frames 0 and 1 in each other's place",
            HEAD + FRAME_B + FRAME_A + FRAME_C + FOOT,
            Failure("channel-out-of-turn", AT_A, 0),
        ),
        Invalid(
            "frame-missing",
            "frame 1 of three was left out",
            HEAD + FRAME_A + FRAME_C + FOOT,
            Failure("channel-out-of-turn", AT_B, 1),
            16,
        ),
        Invalid(
            "frame-repeated",
            "frame 0 stands there twice",
            HEAD + FRAME_A + FRAME_A + FRAME_B + FRAME_C + FOOT,
            Failure("channel-out-of-turn", AT_B, 1),
            16,
        ),
    ]


def bad_lengths() -> list[Invalid]:
    """Return lengths that cannot be."""

    def third(piece: bytes) -> bytes:
        return HEAD + FRAME_A + FRAME_B + piece + FOOT

    empty = zstd_frame(block(b"", last=True), content_bytes=0)
    impossible = {
        "0": ("no body at all", frame(C, body=b"")),
        "8": ("no zstd frame is as short", frame(C, body=bytes(8))),
        "above-bound": (
            "68 bytes for 4 raw ones, 67 are the bound",
            frame(C, body=bytes(68)),
        ),
        "4-gib": ("a body of 4 GiB is claimed", frame(C, compressed_bytes=0xFFFFFFFF)),
        "big-endian": (
            "the length in the wrong byte order",
            frame(C, compressed_bytes=13 << 24),
        ),
    }
    return [
        Invalid(
            "frame-empty-only",
            "an empty input has no frames, not an empty one",
            header() + frame(b"", body=empty) + footer(b"", 1),
            Failure("empty-frame", AT_A + RAW_BYTES, 0),
        ),
        Invalid(
            "frame-empty-last",
            "an empty frame after the last one",
            header() + frame(A) + frame(b"", body=empty) + footer(A, 2),
            Failure("empty-frame", AT_B + RAW_BYTES, 1),
            16,
        ),
        Invalid(
            "frame-one-too-long",
            "17 raw bytes where frames hold 16",
            header() + frame(A + b"!") + footer(A + b"!", 1),
            Failure("frame-too-long", AT_A + RAW_BYTES, 0),
        ),
        Invalid(
            "frame-claims-4-gib",
            "a frame header asks for 4 GiB of memory",
            third(frame(C, raw_bytes=0xFFFFFFFF)),
            Failure("frame-too-long", AT_C + RAW_BYTES, 2),
            32,
        ),
        Invalid(
            "frame-raw-big-endian",
            "the raw length in the wrong byte order",
            third(frame(C, raw_bytes=4 << 24)),
            Failure("frame-too-long", AT_C + RAW_BYTES, 2),
            32,
        ),
        *(
            Invalid(
                f"compressed-length-{name}",
                about,
                third(piece),
                Failure("impossible-length", AT_C + COMPRESSED, 2),
                32,
            )
            for name, (about, piece) in impossible.items()
        ),
        Invalid(
            "compressed-length-beyond-ratio",
            "294,913 raw bytes cannot come of 9",
            header(frame_bytes=MIB)
            + frame(b"", body=bytes(9), raw_bytes=9 * 32768 + 1, crc32=1)
            + footer(b"", 1, raw_bytes=9 * 32768 + 1),
            Failure("impossible-length", AT_A + COMPRESSED, 0),
        ),
        Invalid(
            "compressed-length-at-ratio",
            "294,912 raw bytes in 9 are possible; the body is no zstd frame",
            header(frame_bytes=MIB)
            + frame(b"", body=bytes(9), raw_bytes=9 * 32768, crc32=1)
            + footer(b"", 1, raw_bytes=9 * 32768),
            Failure("bad-body", AT_A + BODY, 0),
        ),
        Invalid(
            "compressed-length-one-more",
            "a body takes one byte of the next frame header",
            HEAD
            + frame(A, body=stored(A), compressed_bytes=26)
            + FRAME_B
            + FRAME_C
            + FOOT,
            Failure("body-trailing-data", AT_A + BODY, 0),
            inspect=Failure("channel-out-of-range", AT_B + 1, 1),
        ),
        Invalid(
            "compressed-length-one-less",
            "a body leaves its last byte to the next frame header",
            HEAD
            + frame(A, body=stored(A), compressed_bytes=24)
            + FRAME_B
            + FRAME_C
            + FOOT,
            Failure("bad-body", AT_A + BODY, 0),
            inspect=Failure("channel-out-of-range", AT_B - 1, 1),
        ),
    ]
