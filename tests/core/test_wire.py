"""Header, frame header, footer and the rules that span frames."""

import struct

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from paxect_core import errors, limits, wire
from paxect_core.wire import Footer, FrameHeader, FrameSequence, Settings

HEADER = bytearray(wire.pack_header(Settings(channels=3, frame_bytes=100)))


def altered(offset: int, data: bytes) -> bytes:
    return bytes(HEADER[:offset]) + data + bytes(HEADER[offset + len(data) :])


@given(samples.settings)
def test_header_packed_and_unpacked_is_the_same(settings: Settings) -> None:
    assert wire.unpack_header(wire.pack_header(settings)) == settings


def test_header_of_defaults_is_as_documented() -> None:
    expected = "505843312a00000000000005000010000100000000000000"
    assert wire.pack_header(Settings()).hex() == expected


@pytest.mark.parametrize(
    ("data", "error", "offset"),
    [
        (altered(0, b"PXC2"), errors.BadMagic, 0),
        (b"QX", errors.BadMagic, 0),
        (altered(4, struct.pack("<H", 41)), errors.BadVersion, 4),
        (altered(6, struct.pack("<I", 2 | 4)), errors.BadFlags, 6),
        (altered(6, struct.pack("<I", 2 | 1 << 31)), errors.BadFlags, 6),
        (altered(6, struct.pack("<I", 1)), errors.BadFlags, 6),
        (altered(10, b"\x02"), errors.BadMapping, 10),
        (altered(11, struct.pack("b", 23)), errors.BadLevel, 11),
        (altered(12, struct.pack("<I", 0)), errors.BadFrameSize, 12),
        (altered(12, struct.pack("<I", (64 << 20) + 1)), errors.BadFrameSize, 12),
        (altered(16, struct.pack("<H", 0)), errors.BadChannels, 16),
        (altered(16, struct.pack("<H", 9)), errors.BadChannels, 16),
        (altered(16, struct.pack("<H", 1)), errors.BadFlags, 6),
        (altered(18, b"\x01"), errors.BadReserved, 18),
        (altered(23, b"\x80"), errors.BadReserved, 18),
        (b"", errors.Truncated, 0),
        (b"PX", errors.Truncated, 2),
        (bytes(HEADER[:23]), errors.Truncated, 23),
    ],
)
def test_header_when_a_field_is_wrong_names_it(
    data: bytes, error: type[errors.ContainerError], offset: int
) -> None:
    with pytest.raises(error) as caught:
        wire.unpack_header(data)
    assert type(caught.value) is error
    assert caught.value.offset == offset


def test_header_when_lenient_takes_any_frame_size_but_zero() -> None:
    for frame_bytes in (1, (64 << 20) + 1, (1 << 32) - 1):
        data = altered(12, struct.pack("<I", frame_bytes))
        assert wire.unpack_header(data, lenient=True).frame_bytes == frame_bytes
    with pytest.raises(errors.BadFrameSize):
        wire.unpack_header(altered(12, bytes(4)), lenient=True)


@given(
    st.integers(0, (1 << 16) - 1),
    st.tuples(*[st.integers(0, (1 << 32) - 1)] * 3),
)
def test_frame_header_packed_and_unpacked_is_the_same(
    channel: int, rest: tuple[int, int, int]
) -> None:
    header = FrameHeader(channel, *rest)
    packed = wire.pack_frame_header(header)
    assert len(packed) == limits.FRAME_HEADER_BYTES
    assert wire.unpack_frame_header(packed) == header


@given(
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 32) - 1),
    st.binary(min_size=32, max_size=32),
)
def test_footer_packed_and_unpacked_is_the_same(
    raw_bytes: int, frames: int, digest: bytes
) -> None:
    footer = Footer(raw_bytes, frames, digest)
    packed = wire.pack_footer(footer)
    assert len(packed) == limits.FOOTER_BYTES
    assert wire.unpack_footer(packed) == footer


@pytest.mark.parametrize(
    "settings",
    [
        Settings(level=-129),
        Settings(level=23),
        Settings(channels=0),
        Settings(channels=9),
        Settings(frame_bytes=0),
        Settings(frame_bytes=(64 << 20) + 1),
        Settings(mapping="u8"),  # type: ignore[arg-type]
    ],
)
def test_settings_when_impossible_are_a_usage_error(settings: Settings) -> None:
    with pytest.raises(errors.UsageError):
        settings.check()


SETTINGS = Settings(channels=3, frame_bytes=100)


@pytest.mark.parametrize(
    ("header", "error", "offset"),
    [
        (FrameHeader(3, 50, 100, 0), errors.ChannelOutOfRange, 500),
        (FrameHeader(1, 50, 100, 0), errors.ChannelOutOfTurn, 500),
        (FrameHeader(0, 50, 0, 0), errors.EmptyFrame, 506),
        (FrameHeader(0, 50, 101, 0), errors.FrameTooLong, 506),
        (FrameHeader(0, 8, 100, 0), errors.ImpossibleLength, 502),
        (
            FrameHeader(0, limits.compressed_bytes_max(100) + 1, 100, 0),
            errors.ImpossibleLength,
            502,
        ),
    ],
)
def test_sequence_when_a_frame_is_impossible_names_the_field(
    header: FrameHeader, error: type[errors.ContainerError], offset: int
) -> None:
    sequence = FrameSequence(SETTINGS)
    with pytest.raises(error) as caught:
        sequence.append(header, offset=500)
    assert type(caught.value) is error
    assert (caught.value.offset, caught.value.frame) == (offset, 0)


def test_sequence_when_short_frame_is_followed_blames_the_short_one() -> None:
    sequence = FrameSequence(SETTINGS)
    sequence.append(FrameHeader(0, 50, 99, 0), offset=24)
    with pytest.raises(errors.ShortFrame) as caught:
        sequence.append(FrameHeader(1, 50, 100, 0), offset=88)
    assert (caught.value.offset, caught.value.frame) == (30, 0)


def test_sequence_when_lenient_takes_short_frames_anywhere() -> None:
    sequence = FrameSequence(SETTINGS, lenient=True)
    for channel, raw_bytes in enumerate((1, 100, 99)):
        sequence.append(FrameHeader(channel, 50, raw_bytes, 0), offset=24)
    assert (sequence.frames, sequence.raw_bytes) == (3, 200)


def test_sequence_when_a_frame_expands_beyond_what_zstd_can_is_refused() -> None:
    frame_bytes = 1 << 20
    sequence = FrameSequence(Settings(frame_bytes=frame_bytes))
    with pytest.raises(errors.ImpossibleLength):
        sequence.append(FrameHeader(0, 31, frame_bytes, 0), offset=24)
    sequence.append(FrameHeader(0, 32, frame_bytes, 0), offset=24)


def test_sequence_when_frames_exceed_what_the_footer_counts_is_refused() -> None:
    sequence = FrameSequence(Settings(frame_bytes=1))
    sequence.frames = limits.FRAMES_MAX
    with pytest.raises(errors.FrameCountMismatch):
        sequence.append(FrameHeader(0, 10, 1, 0), offset=24)


def test_sequence_when_the_footer_disagrees_names_the_field() -> None:
    sequence = FrameSequence(SETTINGS)
    sequence.append(FrameHeader(0, 50, 99, 0), offset=24)
    sequence.finish(Footer(99, 1, bytes(32)), offset=200)
    with pytest.raises(errors.FrameCountMismatch) as count:
        sequence.finish(Footer(99, 2, bytes(32)), offset=200)
    with pytest.raises(errors.RawTotalMismatch) as total:
        sequence.finish(Footer(98, 1, bytes(32)), offset=200)
    assert (count.value.offset, total.value.offset) == (208, 200)
