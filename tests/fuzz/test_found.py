"""What fuzzing found, each as a scenario of its own."""

import gc
import io

import pytest

from paxect_core import errors, reader, wire, writer
from paxect_core.codec import Decompressor

WHOLE = bytes.fromhex("28b52ffd00004d00001000000100fb2b8005")
DAMAGED = bytes.fromhex("28b52ffda0000400009a200000")


def container(frames: list[bytes]) -> bytearray:
    sink = io.BytesIO()
    settings = wire.Settings(frame_bytes=len(frames[0]))
    writer.encode(io.BytesIO(b"".join(frames)), sink, settings)
    return bytearray(sink.getvalue())


@pytest.mark.parametrize("threads", [1, 2])
def test_decode_when_broken_frame_precedes_cap_reports_the_frame(threads: int) -> None:
    data = container([b"a" * 10, b"b" * 10, b"c" * 10])
    data[24 + 10] ^= 1  # the CRC32 of frame 0
    with pytest.raises(errors.CrcMismatch):
        reader.decode(
            io.BytesIO(data), io.BytesIO(), threads=threads, input_bytes_max=10
        )


@pytest.mark.parametrize("threads", [1, 2])
def test_decode_when_cap_is_exceeded_hands_on_all_frames_below_it(threads: int) -> None:
    data = container([b"a" * 10, b"b" * 10, b"c" * 10])
    sink = io.BytesIO()
    with pytest.raises(errors.InputTooLarge):
        reader.decode(io.BytesIO(data), sink, threads=threads, input_bytes_max=20)
    assert sink.getvalue() == b"a" * 10 + b"b" * 10


def test_bad_body_when_context_is_used_or_fresh_is_described_alike() -> None:
    def message(decompressor: Decompressor) -> str:
        with pytest.raises(errors.BadBody) as caught:
            decompressor.decompress(DAMAGED, 1024, offset=0, frame=0)
        return str(caught.value)

    used = Decompressor(1024)
    used.decompress(WHOLE, 1024, offset=0, frame=0)
    assert message(used) == message(Decompressor(1024))


@pytest.mark.parametrize("threads", [1, 2])
def test_decode_when_frame_is_broken_leaves_no_cyclic_garbage(threads: int) -> None:
    data = container([b"a" * 10, b"b" * 10, b"c" * 10])
    data[24 + 14 + 5] ^= 1
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(errors.ContainerError):
            reader.decode(io.BytesIO(data), io.BytesIO(), threads=threads)
        del data
        assert gc.collect() == 0
    finally:
        gc.enable()
