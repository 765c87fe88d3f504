"""Containers with several faults, of which readers must name the first."""

from __future__ import annotations

from cases import (
    AT_A,
    AT_B,
    AT_C,
    AT_FOOT,
    BASE,
    BODY,
    COMPRESSED,
    COUNT,
    CRC,
    END,
    FOOT,
    FRAME_A,
    FRAME_B,
    FRAME_C,
    HEAD,
    RAW,
    RAW_BYTES,
    A,
    B,
    C,
    Failure,
    Invalid,
)
from invalid_header import with_header
from parts import block, footer, frame, header, stored, zstd_frame


def order_of_header() -> list[Invalid]:
    """Return faults in and around the header."""
    bad = {
        "version": 43,
        "flags": 4,
        "mapping": 2,
        "reserved": b"\1" * 6,
        "level": 23,
        "frame_bytes": 0,
        "channels": 0,
    }
    failures = {
        "version": Failure("bad-version", 4),
        "flags": Failure("bad-flags", 6),
        "mapping": Failure("bad-mapping", 10),
        "reserved": Failure("bad-reserved", 18),
        "level": Failure("bad-level", 11),
        "frame_bytes": Failure("bad-frame-size", 12),
    }
    names = list(bad)
    found = [
        Invalid(
            f"order-{name.replace('_', '-')}-before-the-rest",
            f"wrong in {', '.join(names[i:])}",
            with_header(**{key: bad[key] for key in names[i:]}),
            failure,
        )
        for i, (name, failure) in enumerate(failures.items())
    ]
    return [
        *found,
        Invalid(
            "order-channels-before-multi-flag",
            "no channels and flag bit 1, which contradicts them",
            header(channels=0, flags=2) + BASE[24:],
            Failure("bad-channels", 16),
        ),
        Invalid(
            "order-magic-before-length",
            "wrong magic, and too short for a header",
            b"PXC9" + bytes(6),
            Failure("bad-magic", 0),
        ),
        Invalid(
            "order-length-before-version",
            "wrong version, and too short for a header",
            with_header(version=43)[:23],
            Failure("truncated", 23),
        ),
        Invalid(
            "order-version-before-smallest",
            "wrong version, and too short for a container",
            with_header(version=43)[:24],
            Failure("bad-version", 4),
        ),
        Invalid(
            "order-multi-flag-before-smallest",
            "flag bit 1 with one channel, and too short for a container",
            header(flags=2) + bytes(43),
            Failure("bad-flags", 6),
        ),
    ]


def order_of_frames() -> list[Invalid]:
    """Return faults in and between frames."""
    last = block(B, last=True)
    wrong = zstd_frame(last, content_bytes=17, window=0x08, dictionary=1)
    foreign = zstd_frame(last, content_bytes=17, dictionary=1)
    reserved = zstd_frame(last, content_bytes=16, window=0xFF, descriptor_bits=8)
    garbled = zstd_frame(b"\7\7\7", content_bytes=16, window=0xFF)

    def second(about: str, piece: bytes, failure: Failure, name: str) -> Invalid:
        return Invalid(
            f"order-{name}",
            about,
            HEAD + FRAME_A + piece + FRAME_C + FOOT,
            failure,
            16,
        )

    return [
        second(
            "channel beyond the header's, empty, no body",
            frame(b"", channel=2, body=b""),
            Failure("channel-out-of-range", AT_B, 1),
            "channel-before-lengths",
        ),
        second(
            "channel out of turn, too long, no body",
            frame(b"", channel=0, body=b"", raw_bytes=17),
            Failure("channel-out-of-turn", AT_B, 1),
            "turn-before-lengths",
        ),
        second(
            "empty, and no body",
            frame(b"", channel=1, body=b""),
            Failure("empty-frame", AT_B + RAW_BYTES, 1),
            "empty-before-compressed-length",
        ),
        second(
            "too long, and no body",
            frame(b"", channel=1, body=b"", raw_bytes=17),
            Failure("frame-too-long", AT_B + RAW_BYTES, 1),
            "too-long-before-compressed-length",
        ),
        second(
            "an impossible length that also goes beyond the input",
            frame(B, channel=1, compressed_bytes=1 << 31),
            Failure("impossible-length", AT_B + COMPRESSED, 1),
            "length-before-truncated",
        ),
        second(
            "a large window, a dictionary and another content size",
            frame(B, channel=1, body=wrong),
            Failure("window-too-large", AT_B + BODY, 1),
            "window-before-dictionary-and-size",
        ),
        second(
            "a dictionary and another content size",
            frame(B, channel=1, body=foreign),
            Failure("bad-body", AT_B + BODY, 1),
            "dictionary-before-size",
        ),
        second(
            "the reserved bit, and the largest window",
            frame(B, channel=1, body=reserved),
            Failure("bad-body", AT_B + BODY, 1),
            "reserved-bit-before-window",
        ),
        second(
            "a large window and a malformed block",
            frame(B, channel=1, body=garbled),
            Failure("window-too-large", AT_B + BODY, 1),
            "window-before-blocks",
        ),
        second(
            "15 bytes of unstated size, and a byte after them",
            frame(
                B, channel=1, body=zstd_frame(block(B[:15], last=True), window=0) + b"!"
            ),
            Failure("body-length-mismatch", AT_B + BODY, 1),
            "length-before-trailing",
        ),
        second(
            "a byte after the zstd frame, and a wrong CRC32",
            frame(B, channel=1, body=stored(B) + b"!", crc32=0),
            Failure("body-trailing-data", AT_B + BODY, 1),
            "body-before-crc",
        ),
        Invalid(
            "order-frame-by-frame",
            "wrong data in frame 0, wrong channel in frame 1",
            HEAD + frame(A, crc32=0) + frame(B, channel=0) + FRAME_C + FOOT,
            Failure("crc-mismatch", AT_A + CRC, 0),
            inspect=Failure("channel-out-of-turn", AT_B, 1),
        ),
        Invalid(
            "order-body-before-short-frame",
            "frame 0 is short and its data wrong",
            header() + frame(A[:15], crc32=0) + frame(B) + footer(A[:15] + B, 2),
            Failure("crc-mismatch", AT_A + CRC, 0),
            inspect=Failure("short-frame", AT_A + RAW_BYTES, 0),
            lenient=Failure("crc-mismatch", AT_A + CRC, 0),
        ),
        Invalid(
            "order-short-frame-before-next",
            "frame 0 is short, and the channel of frame 1 wrong",
            header() + frame(A[:15]) + frame(B, channel=1) + footer(A[:15] + B, 2),
            Failure("short-frame", AT_A + RAW_BYTES, 0),
            15,
            lenient=Failure("channel-out-of-range", AT_B - 1, 1),
        ),
        Invalid(
            "order-data-before-truncated",
            "wrong data in frame 0, and the input ends in frame 1",
            (HEAD + frame(A, crc32=0) + FRAME_B + FRAME_C)[:110],
            Failure("crc-mismatch", AT_A + CRC, 0),
            inspect=Failure("truncated", 110, 1),
        ),
        Invalid(
            "order-data-before-trailing",
            "wrong data in the last frame, and something after the footer",
            HEAD + FRAME_A + FRAME_B + frame(C, crc32=0) + FOOT + bytes(50),
            Failure("crc-mismatch", AT_C + CRC, 2),
            32,
            inspect=Failure("trailing-data", END),
        ),
        Invalid(
            "order-data-before-count",
            "wrong data in the last frame, and a wrong count",
            HEAD + FRAME_A + FRAME_B + frame(C, crc32=0) + footer(RAW, 4),
            Failure("crc-mismatch", AT_C + CRC, 2),
            32,
            inspect=Failure("frame-count-mismatch", AT_FOOT + COUNT),
        ),
        Invalid(
            "order-trailing-needs-a-right-footer",
            "something follows a footer whose count is wrong: then it is no footer",
            HEAD + FRAME_A + FRAME_B + FRAME_C + footer(RAW, 4) + bytes(50),
            Failure("short-frame", AT_C + RAW_BYTES, 2),
            36,
            lenient=Failure("channel-out-of-range", AT_FOOT, 3),
        ),
    ]
