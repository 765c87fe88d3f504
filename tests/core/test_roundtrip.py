"""Any bytes, any settings, any chunking, any number of threads: the same bytes."""

import hashlib
import io
import threading

import pytest
import samples
from hypothesis import given, settings
from samples import Chopped, ChoppedSink, lines, noise, reference_container

import paxect_core
from paxect_core.wire import Settings


@settings(max_examples=300)
@given(
    samples.raw_data,
    samples.settings,
    samples.chunk_sizes,
    samples.chunk_sizes,
    samples.threads,
)
def test_encode_and_decode_of_anything_is_determined_by_data_and_settings(
    data: bytes,
    settings: Settings,
    read_sizes: list[int],
    write_sizes: list[int],
    threads: int,
) -> None:
    expected = reference_container(data, settings)
    sink = ChoppedSink(write_sizes)
    encoded = paxect_core.encode(
        Chopped(data, read_sizes), sink, settings, threads=threads
    )
    assert sink.data == expected

    raw = ChoppedSink(write_sizes)
    decoded = paxect_core.decode(Chopped(expected, read_sizes), raw, threads=threads)
    assert raw.data == data

    # Equal field by field: counts, both digests, settings, codec version.
    assert tuple(encoded) == tuple(decoded)
    assert encoded.raw_bytes == len(data)
    assert encoded.frames == -(-len(data) // settings.frame_bytes)
    assert encoded.raw_sha256 == hashlib.sha256(data).hexdigest()
    assert encoded.container_bytes == len(expected)
    assert encoded.container_sha256 == hashlib.sha256(expected).hexdigest()
    assert encoded.settings == settings
    assert encoded.codec_version == paxect_core.CODEC_VERSION


@settings(max_examples=100)
@given(samples.raw_data, samples.settings, samples.chunk_sizes)
def test_iterate_frames_of_anything_gives_its_pieces_in_order(
    data: bytes, settings: Settings, sizes: list[int]
) -> None:
    container = reference_container(data, settings)
    frames = list(paxect_core.iterate_frames(Chopped(container, sizes)))
    assert [frame.raw for frame in frames] == samples.cut(data, settings.frame_bytes)
    for number, frame in enumerate(frames):
        assert frame.number == number
        assert frame.channel == number % settings.channels
        assert frame.raw_offset == number * settings.frame_bytes


@pytest.mark.parametrize("threads", [1, 2, 4, 64])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_encode_at_default_frame_size_equals_the_reference(
    threads: int, extra: int
) -> None:
    data = (lines(1 << 19) + noise(1 << 19)) * 2
    data = data[: len(data) + extra] if extra < 1 else data + b"x"
    container = paxect_core.encode_bytes(data, threads=threads)
    assert container == reference_container(data, Settings())
    assert paxect_core.decode_bytes(container, threads=threads) == data


@pytest.mark.parametrize("threads", [1, 4])
def test_encode_of_nothing_takes_68_bytes(threads: int) -> None:
    container = paxect_core.encode_bytes(b"", threads=threads)
    assert len(container) == 68
    assert paxect_core.decode_bytes(container, threads=threads) == b""


def test_decode_without_container_digest_leaves_it_out() -> None:
    container = paxect_core.encode_bytes(b"abc")
    result = paxect_core.verify(io.BytesIO(container), container_digest=False)
    assert result.container_sha256 is None
    assert result.raw_bytes == 3


def test_encode_in_many_threads_at_once_shares_nothing() -> None:
    data = [noise(5000, seed) for seed in range(8)]
    results: list[bytes] = [b""] * len(data)

    def work(index: int) -> None:
        chosen = Settings(frame_bytes=100, channels=1 + index)
        results[index] = paxect_core.encode_bytes(data[index], chosen, threads=2)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(data))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for index, container in enumerate(results):
        chosen = Settings(frame_bytes=100, channels=1 + index)
        assert container == reference_container(data[index], chosen)


@pytest.mark.parametrize("threads", [-1, 0, 65])
def test_threads_when_impossible_are_a_usage_error(threads: int) -> None:
    with pytest.raises(paxect_core.UsageError):
        paxect_core.encode_bytes(b"", threads=threads)
    with pytest.raises(paxect_core.UsageError):
        paxect_core.verify(io.BytesIO(b""), threads=threads)


def test_encode_when_input_arrives_byte_by_byte_reads_a_large_frame() -> None:
    data = noise(300_000)
    container = paxect_core.encode_bytes(data)
    sink = io.BytesIO()
    paxect_core.decode(Chopped(container, [1]), sink)
    assert sink.getvalue() == data
