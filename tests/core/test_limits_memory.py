"""Memory stays small: whatever a container claims, and however much goes through."""

import struct
import sys
import zlib

import pytest
from samples import noise, python, reference_container

from paxect_core import limits
from paxect_core.wire import Settings

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="address space and peak memory are Linux's here"
)

FRAME = limits.FRAME_BYTES_MAX


def header(frame_bytes: int) -> bytes:
    return struct.pack("<4sHIBbIH6x", b"PXC1", 42, 0, 0, 5, frame_bytes, 1)


def frame(compressed_bytes: int, raw_bytes: int) -> bytes:
    return struct.pack("<HIII", 0, compressed_bytes, raw_bytes, 0)


def footer(raw_bytes: int, frames: int) -> bytes:
    return struct.pack("<QI32s", raw_bytes, frames, bytes(32))


ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Descriptor without content size, window of 64 MiB and of the largest there is.
WINDOW_64_MIB = ZSTD_MAGIC + b"\x00" + bytes([(26 - 10) << 3])
WINDOW_HUGE = ZSTD_MAGIC + b"\x00" + b"\xff"
FILL = bytes(4096)
MOST = (1 << 32) - 1


def lies(size: int) -> dict[str, bytes]:
    """Containers of a few bytes that claim frames of this size, or of any."""
    # Descriptor: content size of 4 bytes, single segment; then that size; no content.
    content = ZSTD_MAGIC + b"\xa0" + struct.pack("<I", size) + FILL

    def one(body: bytes) -> bytes:
        return header(size) + frame(len(body), size) + body + footer(size, 1)

    bound = limits.compressed_bytes_max(size)
    return {
        "compressed-length-only": header(size) + frame(bound, size) + footer(0, 0),
        "compressed-length-of-4-gib": header(size) + frame(MOST, size) + FILL,
        "raw-length-of-4-gib": header(size) + frame(4096, MOST) + FILL,
        "lengths-of-4-gib-when-lenient": header(MOST) + frame(MOST, MOST) + FILL,
        "content-size-only": one(content),
        "window-of-64-mib": one(WINDOW_64_MIB + FILL),
        "window-of-gigabytes": one(WINDOW_HUGE + FILL),
        "footer-of-all-there-can-be": header(size) + footer((1 << 64) - 1, MOST),
        "no-zstd-frame": one(noise(4096)),
        "many-frames-of-one-byte": (
            header(1) + frame(9, 1) * 10_000 + footer(10_000, 10_000)
        ),
    }


READ = """
import io, resource, sys
data = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
from paxect_core import PaxectError, StructureError, decode, iterate_frames
from paxect_core.layout import Container
threads = int(sys.argv[1])
class Pipe:
    left = memoryview(data)
    def read(self, size):
        part = bytes(self.left[:size]); self.left = self.left[len(part):]
        return part
def look():
    container = Container(io.BytesIO(data), lenient=lenient)
    for _ in container.frames(): pass
    container.read_range(0, 1 << 20)
for lenient in (False, True):
    for call in (
        lambda: decode(io.BytesIO(data), io.BytesIO(), threads=threads, lenient=lenient),
        lambda: decode(Pipe(), None, threads=threads, lenient=lenient),
        lambda: list(iterate_frames(io.BytesIO(data), lenient=lenient)),
        look,
    ):
        try:
            call()
        except StructureError as error:
            print(error.code)
        else:
            raise AssertionError("accepted")
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", lies(FRAME))
def test_lying_lengths_are_refused_within_256_mib_of_address_space(
    name: str, threads: int
) -> None:
    # What one frame of 64 MiB honestly takes fits once, not several times.
    size = FRAME if threads == 1 else FRAME // 4
    done = python(READ, str(threads), stdin=lies(size)[name])
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.splitlines()) == 8


@pytest.mark.slow
def test_honest_frames_at_the_limit_are_read_within_256_mib() -> None:
    raw = bytes(FRAME) + b"x"
    whole = reference_container(raw, Settings(level=1, frame_bytes=FRAME))
    code = READ[: READ.index("for lenient")] + (
        "class Sink:\n"
        "    crc = 0\n"
        "    def write(self, data):\n"
        "        import zlib; self.crc = zlib.crc32(data, self.crc)\n"
        "        return len(data)\n"
        "sink = Sink()\n"
        "print(decode(io.BytesIO(data), sink, threads=threads).raw_bytes, sink.crc)\n"
    )
    done = python(code, "1", stdin=whole)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.split() == [b"%d" % len(raw), b"%d" % zlib.crc32(raw)]


THROUGH = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from large_file import peak_mib, through
level, threads, total = map(int, sys.argv[2:])
through(total << 20, level=level, threads=threads)
print(peak_mib())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "threads", "mib"), [(1, 1, 64), (1, 2, 128), (19, 2, 12), (22, 1, 3)]
)
def test_peak_memory_of_encode_and_decode_stays_below_150_mib(
    level: int, threads: int, mib: int
) -> None:
    folder = __file__.rpartition("/")[0]
    done = python(THROUGH, folder, str(level), str(threads), str(mib))
    assert done.returncode == 0, done.stderr.decode()
    assert float(done.stdout) < 150
