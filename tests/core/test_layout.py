"""Looking into a container: what it says, and any range of it, with few reads."""

import errno
import io
import os

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import noise, reference_container

import paxect_core
from paxect_core import errors
from paxect_core.layout import Container
from paxect_core.wire import Settings

RAW = noise(1050)
SETTINGS = Settings(channels=3, frame_bytes=100, mapping="u16", verify=True)
CONTAINER = reference_container(RAW, SETTINGS)


class Counting(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_inspection_says_what_header_and_footer_say() -> None:
    stream = Counting(CONTAINER)
    inspection = Container(stream).inspection
    result = paxect_core.verify(io.BytesIO(CONTAINER))
    assert inspection.settings == SETTINGS
    assert inspection.container_bytes == len(CONTAINER)
    assert inspection.footer.raw_bytes == 1050
    assert inspection.footer.frames == 11
    assert inspection.footer.raw_sha256.hex() == result.raw_sha256
    assert stream.count == 24 + 44


def test_frames_are_listed_without_reading_their_bodies() -> None:
    stream = Counting(CONTAINER)
    entries = list(Container(stream).frames())
    assert stream.count == 24 + 44 + 11 * 14
    offset = 24
    for number, entry in enumerate(entries):
        assert (entry.number, entry.channel) == (number, number % 3)
        assert (entry.offset, entry.raw_offset) == (offset, number * 100)
        offset += 14 + entry.compressed_bytes
    assert [entry.raw_bytes for entry in entries] == [100] * 10 + [50]


def test_container_digest_is_that_of_all_its_bytes() -> None:
    result = paxect_core.verify(io.BytesIO(CONTAINER))
    assert Container(io.BytesIO(CONTAINER)).sha256() == result.container_sha256


@given(
    samples.raw_data,
    samples.settings,
    st.integers(0, 1600),
    st.integers(0, 1600),
)
def test_any_range_is_the_slice_of_the_raw_bytes(
    data: bytes, settings: Settings, start: int, length: int
) -> None:
    container = Container(io.BytesIO(reference_container(data, settings)))
    assert container.read_range(start, length) == data[start : start + length]


@given(st.integers(0, 1100), st.integers(0, 300))
def test_range_reads_only_the_bodies_that_it_touches(start: int, length: int) -> None:
    stream = Counting(CONTAINER)
    container = Container(stream)
    entries = list(container.frames())
    stream.count = 0
    container.read_range(start, length)
    touched = [
        entry
        for entry in entries
        if entry.raw_offset < start + length
        and entry.raw_offset + entry.raw_bytes > start
    ]
    needed = sum(entry.compressed_bytes for entry in touched)
    headers = [entry for entry in entries if entry.raw_offset < start + length]
    assert stream.count <= needed + 14 * (len(headers) + 1)


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1)])
def test_range_when_negative_is_a_usage_error(start: int, length: int) -> None:
    with pytest.raises(errors.UsageError):
        Container(io.BytesIO(CONTAINER)).read_range(start, length)


def test_range_in_a_damaged_frame_is_refused_and_beside_it_is_not() -> None:
    damaged = bytearray(CONTAINER)
    entry = list(Container(io.BytesIO(CONTAINER)).frames())[5]
    damaged[entry.offset + 14 + 60] ^= 1
    container = Container(io.BytesIO(damaged))
    assert container.read_range(0, 500) == RAW[:500]
    assert container.read_range(600, 100) == RAW[600:700]
    with pytest.raises(errors.ContainerError) as caught:
        container.read_range(500, 1)
    assert caught.value.frame == 5


def look(container: bytes) -> None:
    list(Container(io.BytesIO(container)).frames())


def test_every_truncation_is_refused() -> None:
    for size in range(len(CONTAINER)):
        with pytest.raises(errors.StructureError):
            look(CONTAINER[:size])


@pytest.mark.parametrize("size", range(1, 101))
def test_trailing_data_is_refused(size: int) -> None:
    with pytest.raises(errors.TrailingData) as caught:
        look(CONTAINER + bytes(size))
    assert caught.value.offset == len(CONTAINER)


@given(st.integers(0, len(CONTAINER) - 1), st.integers(1, 255))
def test_damage_to_the_structure_is_reported_as_the_reader_does(
    place: int, flip: int
) -> None:
    damaged = bytearray(CONTAINER)
    damaged[place] ^= flip
    try:
        look(bytes(damaged))
    except errors.ContainerError as error:
        seen = error
    else:
        return  # what only bodies or digests can tell
    with pytest.raises(errors.ContainerError) as caught:
        paxect_core.verify(io.BytesIO(damaged))
    # Bodies up to the broken place come first when they are read.
    first, later = caught.value, seen
    assert (
        first.offset <= later.offset
        or type(first) is type(later)
        or (first.frame is not None and first.frame == later.frame)
    )


def test_stream_that_cannot_seek_is_an_input_error() -> None:
    read_end, write_end = os.pipe()
    with (
        open(read_end, "rb", buffering=0) as reader,
        open(write_end, "wb"),
        pytest.raises(errors.InputError) as caught,
    ):
        Container(reader)
    assert "copy it into a file" in caught.value.message


def test_stream_that_refuses_is_an_input_error() -> None:
    class Broken(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(errors.InputError):
        Container(Broken(CONTAINER))


def test_container_that_shrinks_meanwhile_is_an_input_error() -> None:
    stream = io.BytesIO(CONTAINER)
    container = Container(stream)
    stream.truncate(100)
    with pytest.raises(errors.InputError):
        list(container.frames())
