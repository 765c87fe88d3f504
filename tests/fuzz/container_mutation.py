"""Change containers so that readers are led deep, not turned away at the first check.

A container is taken apart, one thing is changed, and some of what depends on it
(lengths, CRC32, channels, footer) is put right again. What comes out is a function of
the bytes and the seed alone.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from hashlib import sha256
from zlib import crc32

import zstandard

Scramble = Callable[[bytes, int], bytes]
"""Changes bytes in any way, up to a size; libFuzzer's own mutator or `flip`."""

HEADER = struct.Struct("<4sHIBbIH6s")
FRAME = struct.Struct("<HIII")
FOOTER = struct.Struct("<QI32s")

RAW_BYTES_MAX = 1 << 21
_NUMBERS = (
    *(0, 1, 2, 3, 7, 8, 9, 13, 14, 24, 43, 44, 45, 68, 127, 128, 255, 256),
    *(1023, 1024, 1025, (1 << 16) - 1, 1 << 16, 1 << 17, 1 << 20, (1 << 20) + 1),
    *((1 << 26) - 1, 1 << 26, (1 << 26) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1),
)


class Frame:
    """A frame header's fields and the body."""

    def __init__(self, fields: list[int], body: bytes) -> None:
        self.fields = fields
        self.body = body

    def raw(self) -> bytes:
        """What the body holds, or nothing if it is no zstd frame of bearable size."""
        try:
            size = zstandard.get_frame_parameters(self.body).content_size
            if RAW_BYTES_MAX < size != zstandard.CONTENTSIZE_UNKNOWN:
                return b""
            return zstandard.ZstdDecompressor().decompress(
                self.body, max_output_size=RAW_BYTES_MAX
            )
        except zstandard.ZstdError:
            return b""

    def mend(self) -> None:
        """Let the header fit the body."""
        raw = self.raw()
        self.fields[1] = len(self.body)
        if raw:
            self.fields[2:] = [len(raw), crc32(raw)]

    def copy(self) -> Frame:
        return Frame(list(self.fields), self.body)


class Parts:
    """A container in pieces: header fields, frames, footer fields, and what is left."""

    def __init__(self, data: bytes) -> None:
        self.header: list[int | bytes] = list(HEADER.unpack(data[: HEADER.size]))
        self.frames: list[Frame] = []
        at, end = HEADER.size, len(data) - FOOTER.size
        while at + FRAME.size <= end:
            fields = list(FRAME.unpack_from(data, at))
            at += FRAME.size
            body = data[at : min(at + fields[1], end)]
            at += len(body)
            self.frames.append(Frame(fields, body))
        self.footer = list(FOOTER.unpack(data[end:]))
        self.rest = b""

    def join(self) -> bytes:
        pieces = [HEADER.pack(*self.header)]
        for frame in self.frames:
            pieces += FRAME.pack(*frame.fields), frame.body
        return b"".join([*pieces, FOOTER.pack(*self.footer), self.rest])

    def mend_channels(self) -> None:
        channels = max(int(self.header[6]), 1)
        for index, frame in enumerate(self.frames):
            frame.fields[0] = index % channels

    def mend_footer(self) -> None:
        digest, total = sha256(), 0
        for frame in self.frames:
            raw = frame.raw()
            digest.update(raw)
            total += len(raw)
        self.footer = [total, len(self.frames), digest.digest()]

    def mend_frame_size(self) -> None:
        sizes = [frame.fields[2] for frame in self.frames]
        self.header[5] = sizes[0] if sizes else 1


def flip(data: bytes, size_max: int, chance: random.Random) -> bytes:
    """Change, insert, remove or repeat a few bytes, as a `Scramble` does."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed) + 1)
        what = chance.randrange(5)
        if what == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif what == 1 and at < len(changed):
            changed[at] = chance.randrange(256)
        elif what == 2:
            del changed[at : at + chance.choice((1, 2, 14, 44, 1 << 20))]
        elif what == 3:
            changed[at:at] = chance.randbytes(chance.choice((1, 2, 14)))
        else:
            changed[at:at] = changed[at : at + chance.choice((1, 14, 44))]
    return bytes(changed[:size_max])


def mutate(data: bytes, size_max: int, seed: int, scramble: Scramble) -> bytes:
    """Return another container, or what is nearly one, of at most that size."""
    chance = random.Random(seed)
    if len(data) < HEADER.size + FOOTER.size or chance.random() < 0.15:
        if chance.random() < 0.2:
            return _fresh(chance).join()[:size_max]
        return scramble(data, size_max)
    parts = Parts(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        chance.choice(_CHANGES)(parts, chance, scramble)
    if chance.random() < 0.8:
        parts.mend_channels()
    if chance.random() < 0.3:
        parts.mend_frame_size()
    if chance.random() < 0.8:
        parts.mend_footer()
    changed = parts.join()
    if len(changed) > size_max:
        return scramble(data, size_max)
    return changed


def _fresh(chance: random.Random) -> Parts:
    frame_bytes = chance.choice((1, 3, 64, 1000, 1024, 4096, 200_000))
    channels = chance.choice((1, 1, 2, 3, 8))
    parts = Parts(bytes(HEADER.size + FOOTER.size))
    parts.header = [
        b"PXC1",
        42,
        chance.randrange(2) | (2 if channels > 1 else 0),
        chance.randrange(2),
        chance.randint(-7, 22),
        frame_bytes,
        channels,
        bytes(6),
    ]
    for left in reversed(range(chance.randrange(5))):
        size = frame_bytes if left else chance.randint(1, frame_bytes)
        parts.frames.append(_fresh_frame(_content(size, chance), chance))
    parts.mend_channels()
    parts.mend_footer()
    return parts


def _content(size: int, chance: random.Random) -> bytes:
    kind = chance.randrange(3)
    if kind == 0:
        return bytes(size)
    if kind == 1 and size <= 4096:
        return chance.randbytes(size)
    unit = chance.randbytes(chance.randint(1, 40))
    return (unit * (size // len(unit) + 1))[:size]


def _fresh_frame(raw: bytes, chance: random.Random) -> Frame:
    frame = Frame([0, 0, len(raw), crc32(raw)], _body(raw, chance))
    frame.fields[1] = len(frame.body)
    return frame


def _body(raw: bytes, chance: random.Random) -> bytes:
    """A zstd frame of the bytes, one of the many that there are."""
    kind = chance.randrange(8)
    level = chance.choice((-5, 1, 3, 9, 19))
    if kind == 0:
        return zstandard.ZstdCompressor(level, write_content_size=False).compress(raw)
    if kind == 1:
        return zstandard.ZstdCompressor(level, write_checksum=True).compress(raw)
    if kind == 2:  # streamed: a window instead of a content size, several blocks
        stream = zstandard.ZstdCompressor(level).compressobj()
        half = len(raw) // 2
        pieces = [
            stream.compress(raw[:half]),
            stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK),
            stream.compress(raw[half:]),
            stream.flush(),
        ]
        return b"".join(pieces)
    if kind == 3:  # a window of a chosen size
        parameters = zstandard.ZstdCompressionParameters.from_level(
            level, window_log=chance.randint(10, 27), write_content_size=False
        )
        stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        return stream.compress(raw) + stream.flush()
    if kind == 4:  # run-length blocks: the largest expansion there is
        return _run(len(raw), raw[:1])
    return zstandard.ZstdCompressor(level).compress(raw)


def _run(size: int, unit: bytes) -> bytes:
    """A zstd frame of one byte repeated, by hand: few bytes that claim many."""
    body = bytearray(b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little"))
    while True:
        block = min(size, 1 << 17)
        size -= block
        last = not size
        body += (block << 3 | 2 | last).to_bytes(3, "little") + (unit or b"\0")
        if last:
            return bytes(body)


def _change_header(parts: Parts, chance: random.Random, _: Scramble) -> None:
    field = chance.randrange(8)
    choices: tuple[tuple[int | bytes, ...], ...] = (
        (b"PXC1", b"PXC2", b"pxc1"),
        (42, 41, 43, 0x2A00),
        (0, 1, 2, 3, 4, 1 << 31),
        (0, 1, 2, 255),
        (-128, -1, 0, 5, 22, 23, 127),
        _NUMBERS,
        (0, 1, 2, 3, 7, 8, 9, 65535),
        (bytes(6), b"\0\0\0\0\0\1", b"\1" + bytes(5)),
    )
    parts.header[field] = chance.choice(choices[field])
    if field == 6 and chance.random() < 0.8:
        flags = int(parts.header[2]) & ~2
        parts.header[2] = flags | (2 if int(parts.header[6]) > 1 else 0)


def _change_frame_header(parts: Parts, chance: random.Random, _: Scramble) -> None:
    if parts.frames:
        frame = chance.choice(parts.frames)
        field = chance.randrange(4)
        top = (1 << 16 if field == 0 else 1 << 32) - 1
        near = frame.fields[field] + chance.randint(-2, 2)
        value = chance.choice((near, chance.choice(_NUMBERS), chance.randint(0, top)))
        frame.fields[field] = value & top


def _change_body(parts: Parts, chance: random.Random, scramble: Scramble) -> None:
    if parts.frames:
        frame = chance.choice(parts.frames)
        frame.body = scramble(frame.body, len(frame.body) + 40)
        if chance.random() < 0.8:
            frame.mend()


def _change_body_header(parts: Parts, chance: random.Random, _: Scramble) -> None:
    """Change what stands within the first bytes of the zstd frame."""
    if parts.frames:
        frame = chance.choice(parts.frames)
        body = bytearray(frame.body)
        if len(body) > 4:
            body[chance.randrange(4, min(len(body), 18))] = chance.randrange(256)
        frame.body = bytes(body)
        if chance.random() < 0.5:
            frame.mend()


def _recode_body(parts: Parts, chance: random.Random, _: Scramble) -> None:
    if parts.frames:
        index = chance.randrange(len(parts.frames))
        raw = parts.frames[index].raw()
        parts.frames[index] = _fresh_frame(raw, chance)


def _extend_body(parts: Parts, chance: random.Random, _: Scramble) -> None:
    """Put something behind or before the zstd frame in its body."""
    if parts.frames:
        frame = chance.choice(parts.frames)
        skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
        extra = chance.choice((b"\0", frame.body, skippable, _run(1, b"a")))
        first = chance.random() < 0.3
        frame.body = extra + frame.body if first else frame.body + extra
        frame.fields[1] = len(frame.body)


def _resize(parts: Parts, chance: random.Random, _: Scramble) -> None:
    """Give a frame another amount of raw bytes, often just beside the frame size."""
    if parts.frames:
        index = chance.randrange(len(parts.frames))
        near = min(int(parts.header[5]), 1 << 18) + chance.randint(-1, 1)
        size = chance.choice((near, chance.choice(_NUMBERS[:26])))
        parts.frames[index] = _fresh_frame(_content(max(size, 0), chance), chance)


def _rearrange(parts: Parts, chance: random.Random, _: Scramble) -> None:
    frames = parts.frames
    what = chance.randrange(3)
    if what == 0 and frames:
        del frames[chance.randrange(len(frames))]
    elif what == 1 and frames:
        frames.insert(0, chance.choice(frames).copy())
    else:
        chance.shuffle(frames)


def _change_footer(parts: Parts, chance: random.Random, _: Scramble) -> None:
    field = chance.randrange(3)
    if field == 2:
        parts.footer[2] = chance.randbytes(32)
    else:
        near = parts.footer[field] + chance.randint(-2, 2)
        parts.footer[field] = (
            chance.choice((near, chance.choice(_NUMBERS))) & 0xFFFFFFFF
        )


def _append(parts: Parts, chance: random.Random, _: Scramble) -> None:
    footer = FOOTER.pack(*parts.footer)
    parts.rest = chance.choice((b"\0", footer, parts.join(), chance.randbytes(20)))


def _truncate(parts: Parts, chance: random.Random, _: Scramble) -> None:
    data = parts.join()
    if len(data) > HEADER.size + FOOTER.size:
        size = chance.randrange(HEADER.size + FOOTER.size, len(data))
        cut = Parts(data[:size])
        parts.header, parts.frames, parts.footer = cut.header, cut.frames, cut.footer


_CHANGES = (
    _change_header,
    _change_frame_header,
    _change_body,
    _change_body_header,
    _recode_body,
    _extend_body,
    _resize,
    _rearrange,
    _change_footer,
    _append,
    _truncate,
)
