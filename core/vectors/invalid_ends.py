"""Containers that end too early or too late, and wrong footers."""

from __future__ import annotations

from cases import (
    AT_B,
    AT_FOOT,
    BASE,
    COUNT,
    END,
    FOOT,
    FRAME_A,
    FRAME_B,
    HEAD,
    RAW,
    A,
    B,
    C,
    Failure,
    Invalid,
)
from parts import container, footer, frame, header


def truncated() -> list[Invalid]:
    """Return containers that were cut off."""

    def cut(size: int, about: str, frame: int | None, passed: int = 0) -> Invalid:
        return Invalid(
            f"truncated-to-{size}",
            about,
            BASE[:size],
            Failure("truncated", size, frame),
            passed,
        )

    empty = container()
    # 30 bytes of body and 14 of header are as long as a footer.
    disguised = header(frame_bytes=21) + frame(A + C + b"!") + footer(A + C + b"!", 1)
    return [
        cut(0, "an empty file", None),
        cut(1, "one byte of the magic", None),
        cut(3, "three bytes of the magic", None),
        cut(4, "the magic alone", None),
        cut(23, "one byte less than a header", None),
        cut(24, "the header alone", None),
        cut(67, "one byte less than the smallest container", None),
        cut(69, "the input ends before frame 0 can", 0),
        cut(81, "the last byte at which frame 0 seems to lack its header", 0),
        cut(82, "the first byte at which frame 0 seems to lack its body", 0),
        cut(106, "all of frame 0 but the last byte to be told from a footer", 0),
        cut(108, "the input ends before frame 1 can", 1, 16),
        cut(129, "no footer", 1, 16),
        cut(130, "one byte of a footer", 1, 16),
        cut(172, "the last byte is missing", 2, 32),
        Invalid(
            "truncated-empty-container",
            "an empty container without its last byte",
            empty[:-1],
            Failure("truncated", 67),
        ),
        Invalid(
            "truncated-in-stored-length",
            "a compressed length within bounds goes beyond the input",
            HEAD + FRAME_A + FRAME_B + frame(C, compressed_bytes=67) + FOOT,
            Failure("truncated", END, 2),
            32,
        ),
        Invalid(
            "truncated-to-68",
            "44 bytes of frame 0 are taken for a footer",
            BASE[:68],
            Failure("frame-count-mismatch", 24 + COUNT),
        ),
        Invalid(
            "truncated-to-107",
            "44 bytes of frame 1 are taken for a footer",
            BASE[:107],
            Failure("frame-count-mismatch", AT_B + COUNT),
            16,
        ),
        Invalid(
            "truncated-footer-whole",
            "without its footer the last frame is as long as one",
            disguised[:-44],
            Failure("frame-count-mismatch", 24 + COUNT),
        ),
    ]


def trailing() -> list[Invalid]:
    """Return containers with something after them."""
    cases = [
        *(
            (f"{n}", f"{n} zero bytes at the end", BASE, bytes(n), 36)
            for n in (1, 13, 14, 43, 44, 45, 68, 100)
        ),
        ("newline", "a line feed at the end", BASE, b"\n", 36),
        ("ones-100", "100 bytes of 255", BASE, b"\xff" * 100, 36),
        ("footer", "the footer twice", BASE, FOOT, 36),
        ("container", "a second container", BASE, BASE, 36),
        (
            "empty-container",
            "a second container, without frames",
            BASE,
            container(),
            36,
        ),
        (
            "after-full-frame",
            "a byte after a container whose last frame is full",
            container(A),
            b"\0",
            16,
        ),
        (
            "after-full-frame-100",
            "100 bytes after a container whose last frame is full",
            container(A),
            bytes(100),
            16,
        ),
        ("after-empty", "a byte after an empty container", container(), b"\0", 0),
        (
            "after-empty-100",
            "100 bytes after an empty container",
            container(),
            bytes(100),
            0,
        ),
    ]
    return [
        Invalid(
            f"trailing-{name}",
            about,
            right + rest,
            Failure("trailing-data", len(right)),
            passed,
        )
        for name, about, right, rest, passed in cases
    ]


def bad_footers() -> list[Invalid]:
    """Return footers that do not agree with the frames."""
    start = BASE[:AT_FOOT]
    raw_totals = {
        "less-1": len(RAW) - 1,
        "more-1": len(RAW) + 1,
        "0": 0,
        "big-endian": len(RAW) << 56,
    }
    return [
        *(
            Invalid(
                f"count-{n}",
                f"the footer counts {n} frames of three",
                start + footer(RAW, n),
                Failure("frame-count-mismatch", AT_FOOT + COUNT),
                36,
            )
            for n in (0, 2, 4, 3 << 24, 0xFFFFFFFF)
        ),
        *(
            Invalid(
                f"total-{name}",
                "the raw total is wrong",
                start + footer(RAW, 3, raw_bytes=total),
                Failure("raw-total-mismatch", AT_FOOT),
                36,
            )
            for name, total in raw_totals.items()
        ),
        Invalid(
            "count-of-empty",
            "an empty container that counts a frame",
            header() + footer(b"", 1),
            Failure("frame-count-mismatch", 24 + COUNT),
        ),
        Invalid(
            "total-of-empty",
            "an empty container with a raw total",
            header() + footer(b"", 0, raw_bytes=1),
            Failure("raw-total-mismatch", 24),
        ),
        Invalid(
            "order-count-before-total",
            "count, total and SHA-256 are all wrong",
            start + footer(b"", 2, raw_bytes=1),
            Failure("frame-count-mismatch", AT_FOOT + COUNT),
            36,
        ),
        Invalid(
            "order-total-before-digest",
            "total and SHA-256 are wrong",
            start + footer(b"", 3),
            Failure("raw-total-mismatch", AT_FOOT),
            36,
        ),
        Invalid(
            "order-count-before-digest",
            "a frame was left out at the end, its place taken by none",
            header() + frame(A) + footer(A + B, 2),
            Failure("frame-count-mismatch", AT_B + COUNT),
            16,
        ),
    ]
