"""Header, frame header and footer to bytes and back; pure.

Unpacking refuses whatever FORMAT.md refuses. `FrameSequence` holds the rules that
span frames, so that each reader (stream, seek, inspect) applies the same ones.
"""

from __future__ import annotations

import struct

from paxect_core import errors, limits
from paxect_core.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Mapping = Literal["virtual", "u16"]

MAGIC = b"PXC1"
VERSION = 42
FLAG_VERIFY = 1
FLAG_MULTI_CHANNEL = 2
MAPPING_NAMES: tuple[Mapping, ...] = ("virtual", "u16")

_HEADER = struct.Struct("<4sHIBbIH6s")
_FRAME_HEADER = struct.Struct("<HIII")
_FOOTER = struct.Struct("<QI32s")
_RESERVED = bytes(6)


class Settings(Struct):
    """All that decides a container's bytes besides the input and the codec."""

    level: int = limits.LEVEL_DEFAULT
    channels: int = 1
    frame_bytes: int = limits.FRAME_BYTES_DEFAULT
    mapping: Mapping = "virtual"
    verify: bool = False

    def check(self) -> None:
        """Raise `UsageError` unless a container can be written with these."""
        for name, value, low, high in (
            ("level", self.level, limits.LEVEL_MIN, limits.LEVEL_MAX),
            ("channels", self.channels, 1, limits.CHANNELS_MAX),
            ("frame size", self.frame_bytes, 1, limits.FRAME_BYTES_MAX),
        ):
            if not low <= value <= high:
                raise errors.UsageError(
                    f"{name} {value} is impossible; use {low} to {high}"
                )
        if self.mapping not in MAPPING_NAMES:
            raise errors.UsageError(
                f"mapping {self.mapping!r} is unknown; use virtual or u16"
            )


class FrameHeader(Struct):
    """What stands before each frame body."""

    channel: int
    compressed_bytes: int
    raw_bytes: int
    crc32: int


class Footer(Struct):
    """The last 44 bytes of a container."""

    raw_bytes: int
    frames: int
    raw_sha256: bytes


def pack_header(settings: Settings) -> bytes:
    """Return the 24 header bytes for checked settings."""
    flags = FLAG_VERIFY if settings.verify else 0
    if settings.channels > 1:
        flags |= FLAG_MULTI_CHANNEL
    return _HEADER.pack(
        MAGIC,
        VERSION,
        flags,
        MAPPING_NAMES.index(settings.mapping),
        settings.level,
        settings.frame_bytes,
        settings.channels,
        _RESERVED,
    )


def unpack_header(data: bytes | memoryview, *, lenient: bool = False) -> Settings:
    """Return the settings that the first bytes of a container state, or raise."""
    head = bytes(data[: limits.HEADER_BYTES])
    if not MAGIC.startswith(head[:4]):
        raise errors.BadMagic(
            f"not a .freq container: it begins {head[:4]!r}", offset=0
        )
    if len(head) < limits.HEADER_BYTES:
        raise errors.Truncated(
            f"the header takes 24 bytes, {len(head)} are there", offset=len(head)
        )
    _, version, flags, mapping, level, frame_bytes, channels, reserved = _HEADER.unpack(
        head
    )
    if version != VERSION:
        raise errors.BadVersion(
            f"container version {version} is unknown; this reads 42", offset=4
        )
    if flags & ~(FLAG_VERIFY | FLAG_MULTI_CHANNEL):
        raise errors.BadFlags(f"unknown flags in {flags:#010x}", offset=6)
    if mapping >= len(MAPPING_NAMES):
        raise errors.BadMapping(f"mapping {mapping} is unknown", offset=10)
    if reserved != _RESERVED:
        raise errors.BadReserved(
            f"reserved bytes are {reserved.hex()}, not zero", offset=18
        )
    settings = Settings(
        level=level,
        channels=channels,
        frame_bytes=frame_bytes,
        mapping=MAPPING_NAMES[mapping],
        verify=bool(flags & FLAG_VERIFY),
    )
    _check_ranges(
        settings,
        frame_bytes_max=(
            limits.FRAME_BYTES_MAX_LENIENT if lenient else limits.FRAME_BYTES_MAX
        ),
    )
    if bool(flags & FLAG_MULTI_CHANNEL) != (channels > 1):
        raise errors.BadFlags(
            f"the multi-channel flag contradicts {channels} channel(s)", offset=6
        )
    return settings


def _check_ranges(settings: Settings, *, frame_bytes_max: int) -> None:
    if settings.level > limits.LEVEL_MAX:
        raise errors.BadLevel(f"level {settings.level} exceeds 22", offset=11)
    if not 1 <= settings.frame_bytes <= frame_bytes_max:
        raise errors.BadFrameSize(
            f"frame size {settings.frame_bytes} is not within 1 to {frame_bytes_max}",
            offset=12,
        )
    if not 1 <= settings.channels <= limits.CHANNELS_MAX:
        raise errors.BadChannels(
            f"{settings.channels} channels are not within 1 to 8", offset=16
        )


def pack_frame_header(header: FrameHeader) -> bytes:
    """Return the 14 bytes that stand before a frame body."""
    return _FRAME_HEADER.pack(*header)


def unpack_frame_header(data: bytes | memoryview) -> FrameHeader:
    """Return the frame header in exactly 14 bytes; `FrameSequence` judges it."""
    return FrameHeader(*_FRAME_HEADER.unpack(data))


def pack_footer(footer: Footer) -> bytes:
    """Return the 44 footer bytes."""
    return _FOOTER.pack(*footer)


def unpack_footer(data: bytes | memoryview) -> Footer:
    """Return the footer in exactly 44 bytes; `FrameSequence` judges it."""
    return Footer(*_FOOTER.unpack(data))


class FrameSequence:
    """The frames seen so far in one container, and whether the next one may follow.

    Strict readers want full frames but for the last. A lenient one also takes short
    frames in between: the original wrote them when its standard input was a pipe in
    non-blocking mode and gave less than a frame at once.
    """

    __slots__ = ("_lenient", "_settings", "_short_offset", "frames", "raw_bytes")

    def __init__(self, settings: Settings, *, lenient: bool = False) -> None:
        self._settings = settings
        self._lenient = lenient
        self._short_offset: int | None = None
        self.frames = 0
        self.raw_bytes = 0

    def append(self, header: FrameHeader, *, offset: int) -> None:
        """Take in the next frame header, which stands at that offset, or raise."""
        settings, index = self._settings, self.frames
        if self._short_offset is not None:
            raise errors.ShortFrame(
                f"holds fewer than {settings.frame_bytes} raw bytes, yet more follows",
                offset=self._short_offset,
                frame=index - 1,
            )
        if index == limits.FRAMES_MAX:
            raise errors.FrameCountMismatch(
                f"more than {limits.FRAMES_MAX} frames", offset=offset, frame=index
            )
        if header.channel >= settings.channels:
            raise errors.ChannelOutOfRange(
                f"channel {header.channel} of {settings.channels}",
                offset=offset,
                frame=index,
            )
        if header.channel != index % settings.channels:
            raise errors.ChannelOutOfTurn(
                f"channel {header.channel} where {index % settings.channels} is due",
                offset=offset,
                frame=index,
            )
        self._check_lengths(header, offset)
        if header.raw_bytes < settings.frame_bytes and not self._lenient:
            self._short_offset = offset + 6
        self.frames += 1
        self.raw_bytes += header.raw_bytes

    def _check_lengths(self, header: FrameHeader, offset: int) -> None:
        if header.raw_bytes == 0:
            raise errors.EmptyFrame(
                "holds no raw bytes", offset=offset + 6, frame=self.frames
            )
        if header.raw_bytes > self._settings.frame_bytes:
            raise errors.FrameTooLong(
                f"claims {header.raw_bytes} raw bytes, the header allows "
                f"{self._settings.frame_bytes}",
                offset=offset + 6,
                frame=self.frames,
            )
        least = max(
            limits.ZSTD_FRAME_BYTES_MIN,
            -(-header.raw_bytes // limits.ZSTD_EXPANSION_MAX),
        )
        most = limits.compressed_bytes_max(header.raw_bytes)
        if not least <= header.compressed_bytes <= most:
            raise errors.ImpossibleLength(
                f"{header.raw_bytes} raw bytes cannot take {header.compressed_bytes} "
                f"compressed ones ({least} to {most})",
                offset=offset + 2,
                frame=self.frames,
            )

    def finish(self, footer: Footer, *, offset: int) -> None:
        """Compare the footer, which stands at that offset, with what was seen."""
        if footer.frames != self.frames:
            raise errors.FrameCountMismatch(
                f"the footer counts {footer.frames} frames, there are {self.frames}",
                offset=offset + 8,
            )
        if footer.raw_bytes != self.raw_bytes:
            raise errors.RawTotalMismatch(
                f"the footer says {footer.raw_bytes} raw bytes, "
                f"the frames hold {self.raw_bytes}",
                offset=offset,
            )
