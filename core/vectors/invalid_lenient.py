"""Containers that lenient readers take, or refuse for another reason."""

from __future__ import annotations

from cases import (
    AT_A,
    AT_B,
    BODY,
    COMPRESSED,
    COUNT,
    DIGEST,
    MIB,
    OK,
    RAW_BYTES,
    A,
    B,
    C,
    Failure,
    Invalid,
)
from parts import block, container, footer, frame, header, stored, zstd_frame


def lenient() -> list[Invalid]:
    """Return short frames and large ones, right and wrong."""
    pieces = (A[:5], B, C, A)
    short = container(*pieces, channels=3)
    joined = b"".join(pieces)
    limit = 64 * MIB + 1
    huge = 0xFFFFFFFF

    def sized(frame_bytes: int, body: bytes, *rest: bytes) -> bytes:
        return header(frame_bytes=frame_bytes) + frame(A, body=body) + b"".join(rest)

    def wide(window: int) -> bytes:
        return zstd_frame(block(A, last=True), window=window, content_bytes=16)

    too_short = Failure("short-frame", AT_A + RAW_BYTES, 0)
    too_large = Failure("bad-frame-size", 12)
    return [
        Invalid(
            "lenient-short-frames",
            "frames of 5, 16, 4 and 16 bytes, as the original wrote from a pipe",
            short,
            too_short,
            5,
            lenient=OK,
            raw=joined,
        ),
        Invalid(
            "lenient-short-before-last",
            "only the last frame but one is short",
            container(A, B[:1], C),
            Failure("short-frame", AT_B + RAW_BYTES, 1),
            17,
            lenient=OK,
            raw=A + B[:1] + C,
        ),
        Invalid(
            "lenient-frame-size",
            "frames may hold 64 MiB and a byte",
            sized(limit, stored(A), footer(A, 1)),
            too_large,
            lenient=OK,
            raw=A,
        ),
        Invalid(
            "lenient-frame-size-4-gib",
            "frames may hold all that 32 bits count",
            sized(huge, stored(A), footer(A, 1)),
            too_large,
            lenient=OK,
            raw=A,
        ),
        Invalid(
            "lenient-window-128-mib",
            "a window of 128 MiB, the largest of any level",
            sized(huge, wide(17 << 3), footer(A, 1)),
            too_large,
            lenient=OK,
            raw=A,
        ),
        Invalid(
            "lenient-window-144-mib",
            "a window larger than any level's, whatever the frame size",
            sized(huge, wide(17 << 3 | 1), footer(A, 1)),
            too_large,
            lenient=Failure("window-too-large", AT_A + BODY, 0),
        ),
        Invalid(
            "lenient-claims-4-gib",
            "a short body cannot ask for 4 GiB of memory, however large frames may be",
            header(frame_bytes=huge)
            + frame(A, raw_bytes=huge)
            + footer(A, 1, raw_bytes=huge),
            too_large,
            lenient=Failure("impossible-length", AT_A + COMPRESSED, 0),
        ),
        Invalid(
            "lenient-empty-frame",
            "short frames, one of them empty",
            header()
            + frame(A[:5])
            + frame(b"", body=stored(b""))
            + frame(C)
            + footer(A[:5] + C, 3),
            too_short,
            5,
            lenient=Failure("empty-frame", AT_A + 28 + RAW_BYTES, 1),
        ),
        Invalid(
            "lenient-out-of-turn",
            "short frames, one out of turn",
            short.replace(frame(B, channel=1), frame(B, channel=2)),
            too_short,
            5,
            lenient=Failure("channel-out-of-turn", AT_A + 28, 1),
        ),
        Invalid(
            "lenient-trailing",
            "short frames, and a byte after the footer",
            short + b"\0",
            too_short,
            5,
            lenient=Failure("trailing-data", len(short)),
        ),
        Invalid(
            "lenient-truncated",
            "short frames, and the last byte missing",
            short[:-1],
            too_short,
            5,
            lenient=Failure("truncated", len(short) - 1, 3),
        ),
        Invalid(
            "lenient-count",
            "short frames, and a wrong count",
            short[:-44] + footer(joined, 5),
            too_short,
            5,
            lenient=Failure("frame-count-mismatch", len(short) - 44 + COUNT),
        ),
        Invalid(
            "lenient-digest",
            "short frames, and a wrong SHA-256",
            short[:-44] + footer(joined, 4, digest=bytes(32)),
            too_short,
            5,
            lenient=Failure("digest-mismatch", len(short) - 44 + DIGEST),
        ),
    ]
