"""Streams of every kind are read and written exactly, and fail as typed errors."""

import errno
import fcntl
import io
import os
import resource
import threading
from collections.abc import Callable, Iterator
from io import FileIO

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import Chopped, ChoppedSink, Refusing, noise

import paxect_core
from paxect_core import errors, streams
from paxect_core.streams import HeldBack, read_full, read_some, write_all

DATA = noise(700_000)
CONTAINER = paxect_core.encode_bytes(DATA)


@pytest.fixture
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    read_end, write_end = os.pipe()
    with (
        open(read_end, "rb", buffering=0) as reader,
        open(write_end, "wb", buffering=0) as writer,
    ):
        yield reader, writer


def in_background(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("buffered", [False, True])
def test_decode_from_a_non_blocking_pipe_waits_for_its_data(
    pipe: tuple[FileIO, FileIO], buffered: bool
) -> None:
    reader, writer = pipe
    os.set_blocking(reader.fileno(), False)

    def feed() -> None:
        for piece in samples.cut(CONTAINER, 999):
            write_all(writer, piece)
        writer.close()

    feeder = in_background(feed)
    sink = io.BytesIO()
    stream = io.BufferedReader(reader) if buffered else reader
    result = paxect_core.decode(stream, sink)
    if isinstance(stream, io.BufferedReader):
        stream.detach()
    feeder.join()
    assert sink.getvalue() == DATA
    assert result.container_bytes == len(CONTAINER)


@pytest.mark.parametrize("buffered", [False, True])
def test_decode_into_a_non_blocking_pipe_waits_for_its_reader(
    pipe: tuple[FileIO, FileIO], buffered: bool
) -> None:
    reader, writer = pipe
    os.set_blocking(writer.fileno(), False)
    received = bytearray()

    def drain() -> None:
        while piece := reader.read(4096):
            received.extend(piece)

    drainer = in_background(drain)
    stream = io.BufferedWriter(writer) if buffered else writer
    paxect_core.decode(io.BytesIO(CONTAINER), stream)
    os.set_blocking(writer.fileno(), True)
    stream.close()
    drainer.join()
    assert bytes(received) == DATA


def test_waiting_on_a_descriptor_above_1023_works(
    pipe: tuple[FileIO, FileIO],
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1100:
        pytest.skip("this process may have no descriptor above 1023")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1100), hard))
    try:
        high = fcntl.fcntl(pipe[0].fileno(), fcntl.F_DUPFD, 1050)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    os.set_blocking(high, False)
    with open(high, "rb", buffering=0) as stream:
        feeder = threading.Timer(0.01, pipe[1].write, (b"late",))
        feeder.start()
        assert read_full(stream, 4) == b"late"
        feeder.join()


@given(st.binary(max_size=200), samples.chunk_sizes, st.integers(1, 250))
def test_read_full_gives_what_is_asked_for_or_all_there_is(
    data: bytes, sizes: list[int], size: int
) -> None:
    source = Chopped(data, sizes)
    assert read_full(source, size) == data[:size]
    assert read_full(source, 300) == data[size:]


@given(st.binary(max_size=200), samples.chunk_sizes)
def test_write_all_writes_each_byte_once(data: bytes, sizes: list[int]) -> None:
    sink = ChoppedSink(sizes)
    write_all(sink, data)
    assert sink.data == data


def test_reading_when_refused_is_an_input_error_that_names_the_stream() -> None:
    refusing = Refusing(OSError(errno.EIO, "Input/output error"))
    with pytest.raises(errors.InputError) as caught:
        read_some(refusing, 1)
    assert caught.value.message == "reading the stream gave Input/output error"
    assert isinstance(caught.value.__cause__, OSError)
    for call in (paxect_core.verify, lambda s: paxect_core.encode(s, io.BytesIO())):
        with pytest.raises(errors.InputError):
            call(refusing)


@pytest.mark.parametrize("threads", [1, 3])
def test_writing_when_refused_is_an_output_error(threads: int) -> None:
    refusing = Refusing(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(errors.OutputError) as caught:
        paxect_core.decode(io.BytesIO(CONTAINER), refusing, threads=threads)
    assert caught.value.message == "writing the stream gave No space left on device"
    with pytest.raises(errors.OutputError):
        paxect_core.encode(io.BytesIO(DATA * 3), refusing, threads=threads)


def test_errors_without_text_show_what_there_is() -> None:
    with pytest.raises(errors.InputError) as caught:
        read_some(Refusing(OSError("odd")), 1)
    assert caught.value.message.endswith("gave odd")


class Named:
    def __init__(self, name: object) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb", r"'a\nb'"),
        (b"a\xff", r"'a\udcff'"),
        (0, "standard input"),
        (1, "standard output"),
        (7, "the stream"),
        ([], "the stream"),
    ],
)
def test_name_of_a_stream_is_fit_for_one_line(name: object, shown: str) -> None:
    assert streams.name_of(Named(name)) == shown


@given(
    st.binary(max_size=300),
    samples.chunk_sizes,
    st.lists(st.integers(1, 60), max_size=20),
    st.integers(0, 50),
)
def test_held_back_gives_all_but_the_end_then_the_end(
    data: bytes, sizes: list[int], wanted: list[int], hold: int
) -> None:
    held = HeldBack(Chopped(data, sizes), hold)
    given_out = b""
    for size in wanted:
        rest = data[len(given_out) :]
        assert held.peek(size) == rest[:size]
        assert held.has(size) == (len(rest) >= size + hold)
        if not held.has(size):
            break
        given_out += bytes(held.take(size))
        assert held.offset == len(given_out)
    while held.has(1):
        given_out += bytes(held.take(1))
    assert held.offset_read == len(data)
    rest = held.take_rest()
    assert len(rest) == min(hold, len(data))
    assert given_out + rest == data


def test_held_back_never_asks_for_what_a_length_claims() -> None:
    asked = []

    class Recording(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size)
            return super().read(size)

    held = HeldBack(Recording(b"little"), 44)
    assert not held.has(1 << 32)
    assert max(asked) <= 4 << 20
