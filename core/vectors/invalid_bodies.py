"""Frame bodies that every reader refuses, and data that is not the data."""

from __future__ import annotations

import zstandard
from cases import (
    AT_A,
    AT_B,
    AT_FOOT,
    BASE,
    BODY,
    CRC,
    DIGEST,
    FOOT,
    FRAME_A,
    FRAME_B,
    FRAME_C,
    HEAD,
    MIB,
    A,
    B,
    C,
    Failure,
    Invalid,
)
from parts import (
    RESERVED_BLOCK,
    block,
    footer,
    frame,
    header,
    stored,
    zstd_frame,
)
from unusual import one_frame


def bad_bodies() -> list[Invalid]:
    """Return bodies that are not one right zstd frame."""
    last = block(B, last=True)
    no_block = block(B, last=True, kind=RESERVED_BLOCK)
    whole = stored(B)
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    checked = zstandard.ZstdCompressor(write_checksum=True).compress(B)
    flipped = checked[:-1] + bytes([checked[-1] ^ 1])
    huge = 2**64
    length, trailing = "body-length-mismatch", "body-trailing-data"
    return [
        _body("not-zstd", "bytes that are no zstd frame", b"\0" * 25),
        _body("raw", "the raw bytes themselves", B),
        _body("magicless", "a zstd frame without its magic number", whole[4:]),
        _body("legacy-v07", "the magic number of zstd 0.7", b"\x27" + whole[1:]),
        _body("skippable", "a skippable frame", skippable),
        _body(
            "skippable-first",
            "a skippable frame before the zstd frame",
            skippable + whole,
        ),
        _body(
            "dictionary",
            "the zstd frame wants dictionary 1",
            zstd_frame(last, content_bytes=16, dictionary=1),
        ),
        _body(
            "reserved-bit",
            "the reserved bit of the descriptor is set",
            zstd_frame(last, content_bytes=16, descriptor_bits=8),
        ),
        _body(
            "reserved-block",
            "a block of the reserved type",
            zstd_frame(no_block, content_bytes=16),
        ),
        _body(
            "no-last-block",
            "no block is the last",
            zstd_frame(block(B, last=False), content_bytes=16),
        ),
        _body(
            "no-last-block-unstated",
            "no block is the last, content size unstated",
            zstd_frame(block(B, last=False), window=0),
        ),
        _body("cut", "the zstd frame lacks its last byte", whole[:-1]),
        _body(
            "cut-unstated",
            "the zstd frame lacks its last byte, content size unstated",
            zstd_frame(last, window=0)[:-1],
        ),
        _body(
            "cut-header",
            "the zstd frame ends in its header",
            zstd_frame(content_bytes=16, size_bytes=8)[:10],
        ),
        _body(
            "cut-block-header",
            "the zstd frame ends in a block header",
            zstd_frame(block(B[:2], last=False), b"\0", content_bytes=16),
        ),
        _body(
            "block-beyond-body",
            "a block is longer than the body",
            zstd_frame(block(B, last=True, size=17), content_bytes=16),
        ),
        _body(
            "garbled-block",
            "a compressed block of nonsense",
            zstd_frame(block(b"\xff" * 16, last=True, kind=2), content_bytes=16),
        ),
        _body("checksum-wrong", "the zstd frame's own checksum is wrong", flipped),
        _body("checksum-missing", "a checksum is announced and missing", checked[:-4]),
        _body(
            "holds-less-than-stated",
            "15 bytes in a zstd frame that states 16",
            zstd_frame(block(B[:15], last=True), content_bytes=16),
        ),
        _body(
            "holds-more-than-stated",
            "17 bytes in a zstd frame that states 16",
            zstd_frame(block(B + b"!", last=True), content_bytes=16),
        ),
        _body(
            "states-less",
            "the zstd frame holds and states 15 bytes",
            stored(B[:15]),
            length,
        ),
        _body(
            "states-more",
            "the zstd frame holds and states 17 bytes",
            stored(B + b"!"),
            length,
        ),
        _body(
            "states-2-64-less-1",
            "a stated size of 2**64 - 1 is not an unstated one",
            zstd_frame(last, window=0, content_bytes=huge - 1),
            length,
        ),
        _body(
            "states-2-64-less-2",
            "a stated size of 2**64 - 2",
            zstd_frame(last, window=0, content_bytes=huge - 2),
            length,
        ),
        _body(
            "unstated-less",
            "15 bytes, content size unstated",
            zstd_frame(block(B[:15], last=True), window=0),
            length,
        ),
        _body(
            "unstated-more",
            "17 bytes, content size unstated",
            zstd_frame(block(B + b"!", last=True), window=0),
            length,
        ),
        _body(
            "unstated-second-block",
            "16 bytes and one more block",
            zstd_frame(block(B, last=False), block(b"!", last=True), window=0),
            length,
        ),
        _body(
            "unstated-one-more-then-no-block",
            "17 bytes and a block of the reserved type, content size unstated",
            zstd_frame(block(B + b"!", last=False), no_block, window=0),
        ),
        _body(
            "unstated-two-more-then-no-block",
            "18 bytes and a block of the reserved type, content size unstated",
            zstd_frame(block(B + b"!!", last=False), no_block, window=0),
            length,
        ),
        _body(
            "empty",
            "the zstd frame holds nothing",
            zstd_frame(block(b"", last=True), content_bytes=0),
            length,
        ),
        _body(
            "empty-unstated",
            "the zstd frame holds nothing, content size unstated",
            zstd_frame(block(b"", last=True), window=0),
            length,
        ),
        _body(
            "two-halves",
            "two zstd frames of 8 bytes each",
            stored(B[:8]) + stored(B[8:]),
            length,
        ),
        _body(
            "two-halves-unstated",
            "two zstd frames of 8 bytes each, content size unstated",
            zstd_frame(block(B[:8], last=True), window=0)
            + zstd_frame(block(B[8:], last=True), window=0),
            length,
        ),
        _body(
            "trailing-zero", "a zero byte after the zstd frame", whole + b"\0", trailing
        ),
        _body(
            "trailing-unstated",
            "a byte after a zstd frame of unstated size",
            zstd_frame(last, window=0) + b"\n",
            trailing,
        ),
        _body(
            "trailing-frame",
            "an empty zstd frame after the first",
            whole + zstd_frame(block(b"", last=True), content_bytes=0),
            trailing,
        ),
        _body("trailing-frame-full", "the zstd frame twice", whole + whole, trailing),
        _body(
            "trailing-skippable",
            "a skippable frame after the zstd frame",
            whole + skippable,
            trailing,
        ),
    ]


def _body(name: str, about: str, body: bytes, code: str = "bad-body") -> Invalid:
    return Invalid(
        f"body-{name}",
        about,
        HEAD + FRAME_A + frame(B, channel=1, body=body) + FRAME_C + FOOT,
        Failure(code, AT_B + BODY, 1),
        16,
    )


def bad_windows() -> list[Invalid]:
    """Return zstd frames that ask for too large a window."""

    def stating(window: int) -> bytes:
        return zstd_frame(block(A, last=True), window=window, content_bytes=16)

    def case(name: str, about: str, body: bytes, size: int = 16) -> Invalid:
        return Invalid(
            f"window-{name}",
            about,
            one_frame(body, A, frame_bytes=size),
            Failure("window-too-large", AT_A + BODY, 0),
        )

    return [
        case("1152", "1152 bytes where 1024 are allowed", stating(0x01)),
        case("2048", "2048 bytes where 1024 are allowed", stating(0x08)),
        case("2048-of-1152", "2048 bytes where frames hold 1152", stating(0x08), 1152),
        case("8-mib", "8 MiB where frames hold 1 MiB", stating(13 << 3), MIB),
        case("4-gib", "4 GiB, more than libzstd looks at", stating(22 << 3), MIB),
        case("largest", "the largest window that zstd can ask for", stating(0xFF), MIB),
        case(
            "8-mib-unstated",
            "8 MiB where frames hold 1 MiB, content size unstated",
            zstd_frame(block(A, last=True), window=13 << 3),
            MIB,
        ),
    ]


def bad_data() -> list[Invalid]:
    """Return data with other checksums."""

    def crc(name: str, about: str, piece: bytes) -> Invalid:
        return Invalid(
            f"crc-{name}",
            about,
            HEAD + FRAME_A + piece + FRAME_C + FOOT,
            Failure("crc-mismatch", AT_B + CRC, 1),
            16,
        )

    right = int.from_bytes(FRAME_B[CRC:BODY], "little")
    swapped = int.from_bytes(FRAME_B[CRC:BODY], "big")
    exchanged = header() + frame(B) + frame(A) + frame(C) + FOOT
    other = header(flags=1) + frame(A) + footer(A, 1, digest=bytes(32))
    return [
        crc("one-bit", "one bit of the CRC32", frame(B, channel=1, crc32=right ^ 1)),
        crc("zero", "a CRC32 of zero", frame(B, channel=1, crc32=0)),
        crc(
            "big-endian",
            "the CRC32 in the wrong byte order",
            frame(B, channel=1, crc32=swapped),
        ),
        crc(
            "data",
            "one bit of the data",
            frame(B, channel=1, body=stored(b"\x66" + B[1:])),
        ),
        Invalid(
            "digest-one-bit",
            "one bit of the SHA-256",
            BASE[:-1] + bytes([BASE[-1] ^ 0x80]),
            Failure("digest-mismatch", AT_FOOT + DIGEST),
            36,
        ),
        Invalid(
            "digest-zero-verify-flag-set",
            "a SHA-256 of zeros, with flag bit 0",
            other,
            Failure("digest-mismatch", AT_B + DIGEST),
            16,
        ),
        Invalid(
            "digest-zero-verify-flag-clear",
            "a SHA-256 of zeros, without flag bit 0: it is checked all the same",
            header() + other[24:],
            Failure("digest-mismatch", AT_B + DIGEST),
            16,
        ),
        Invalid(
            "digest-empty",
            "an empty container with a SHA-256 of zeros",
            header() + footer(b"", 0, digest=bytes(32)),
            Failure("digest-mismatch", 24 + DIGEST),
        ),
        Invalid(
            "digest-frames-exchanged",
            "in a single channel, exchanged frames show in the SHA-256 only",
            exchanged,
            Failure("digest-mismatch", AT_FOOT + DIGEST),
            36,
        ),
    ]
