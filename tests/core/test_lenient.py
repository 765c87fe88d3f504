"""What `lenient` takes: only what the original's writer could have made."""

import io
import struct

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import noise, reference_container

import paxect_core
from paxect_core import errors
from paxect_core.layout import Container
from paxect_core.wire import Settings

SETTINGS = Settings(channels=2, frame_bytes=32)


@given(
    st.lists(st.binary(min_size=1, max_size=32), max_size=6),
    samples.chunk_sizes,
    samples.threads,
)
def test_short_frames_in_between_are_taken_only_when_lenient(
    pieces: list[bytes], sizes: list[int], threads: int
) -> None:
    raw = b"".join(pieces)
    container = reference_container(raw, SETTINGS, pieces=pieces)

    sink = io.BytesIO()
    result = paxect_core.decode(
        samples.Chopped(container, sizes), sink, threads=threads, lenient=True
    )
    assert sink.getvalue() == raw
    assert result.frames == len(pieces)
    looked_at = Container(io.BytesIO(container), lenient=True)
    assert looked_at.read_range(0, 1000) == raw

    short = [i for i, piece in enumerate(pieces[:-1]) if len(piece) < 32]
    if not short:
        assert paxect_core.decode_bytes(container, threads=threads) == raw
        return
    with pytest.raises(errors.ShortFrame) as caught:
        paxect_core.decode_bytes(container, threads=threads)
    assert caught.value.frame == short[0]
    with pytest.raises(errors.ShortFrame):
        list(Container(io.BytesIO(container)).frames())


def test_frame_size_over_64_mib_is_taken_only_when_lenient() -> None:
    container = bytearray(reference_container(b"small", SETTINGS))
    container[12:16] = struct.pack("<I", (1 << 32) - 1)
    with pytest.raises(errors.BadFrameSize):
        paxect_core.decode_bytes(bytes(container))
    assert paxect_core.decode_bytes(bytes(container), lenient=True) == b"small"
    frames = paxect_core.iterate_frames(io.BytesIO(container), lenient=True)
    assert [frame.raw for frame in frames] == [b"small"]


@pytest.mark.parametrize("place", [0, 4, 6 + 2, 16, 18, 24, 24 + 10, -1, -40])
def test_damage_is_refused_when_lenient_too(place: int) -> None:
    container = bytearray(reference_container(noise(100), SETTINGS))
    container[place] ^= 0xFF
    with pytest.raises(errors.ContainerError):
        paxect_core.decode_bytes(bytes(container), lenient=True)


def test_empty_frame_is_refused_when_lenient_too() -> None:
    container = reference_container(b"ab", SETTINGS, pieces=[b"a", b"", b"b"])
    with pytest.raises(errors.EmptyFrame):
        paxect_core.decode_bytes(container, lenient=True)


def test_trailing_data_is_refused_when_lenient_too() -> None:
    container = reference_container(b"ab", SETTINGS, pieces=[b"a", b"b"])
    with pytest.raises(errors.TrailingData):
        paxect_core.decode_bytes(container + b"\0", lenient=True)
