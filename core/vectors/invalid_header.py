"""Headers that every reader refuses."""

from __future__ import annotations

from cases import BASE, RAW, A, Failure, Invalid
from parts import footer, frame, header, stored


def bad_headers() -> list[Invalid]:
    """Return what is wrong in the header."""
    cases: list[tuple[str, str, bytes, str, int]] = [
        ("magic-first", "first byte of the magic", b"Q" + BASE[1:], "bad-magic", 0),
        (
            "magic-last",
            "another number in the magic",
            b"PXC2" + BASE[4:],
            "bad-magic",
            0,
        ),
        ("magic-lower-case", "magic in lower case", b"pxc1" + BASE[4:], "bad-magic", 0),
        ("magic-text", "a text file", b"id,name\n1,alpha\n" * 8, "bad-magic", 0),
        ("magic-zstd", "a bare zstd file", stored(RAW) + bytes(60), "bad-magic", 0),
        ("magic-two-bytes", "two bytes that begin no container", b"PY", "bad-magic", 0),
        ("magic-one-byte", "one byte that begins no container", b"\n", "bad-magic", 0),
        (
            "magic-after-mark",
            "a byte order mark first",
            b"\xef\xbb\xbf" + BASE,
            "bad-magic",
            0,
        ),
        *(
            (
                f"version-{n}",
                "another version",
                with_header(version=n),
                "bad-version",
                4,
            )
            for n in (0, 1, 41, 43, 0x2A00, 65535)
        ),
        *(
            (
                f"flags-{n:x}",
                "an unknown flag is set",
                with_header(flags=n),
                "bad-flags",
                6,
            )
            for n in (6, 0x102, 0x80000002, 0xFFFFFFFF)
        ),
        (
            "flags-not-multi",
            "several channels without flag bit 1",
            with_header(flags=0),
            "bad-flags",
            6,
        ),
        (
            "flags-multi",
            "flag bit 1 with one channel",
            header(flags=2) + frame(A) + footer(A, 1),
            "bad-flags",
            6,
        ),
        *(
            (
                f"mapping-{n}",
                "an unknown mapping",
                with_header(mapping=n),
                "bad-mapping",
                10,
            )
            for n in (2, 255)
        ),
        *(
            (
                f"level-{n}",
                "a level above all of libzstd's",
                with_header(level=n),
                "bad-level",
                11,
            )
            for n in (23, 127)
        ),
        (
            "frame-size-0",
            "a frame size of zero",
            with_header(frame_bytes=0),
            "bad-frame-size",
            12,
        ),
        (
            "channels-0",
            "no channel",
            header(channels=0) + BASE[24:],
            "bad-channels",
            16,
        ),
        *(
            (
                f"channels-{n}",
                "too many channels",
                header(channels=n) + BASE[24:],
                "bad-channels",
                16,
            )
            for n in (9, 256, 65535)
        ),
        *(
            (
                f"reserved-{i}",
                "a reserved byte is not zero",
                with_header(reserved=bytes(i) + b"\1" + bytes(5 - i)),
                "bad-reserved",
                18,
            )
            for i in range(6)
        ),
    ]
    return [
        Invalid(f"header-{name}", about, data, Failure(code, offset))
        for name, about, data, code, offset in cases
    ]


def with_header(**fields: object) -> bytes:
    """Return `BASE` under a header with these fields."""
    return header(**{"channels": 2, **fields}) + BASE[24:]  # type: ignore[arg-type]
