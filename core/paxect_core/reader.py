"""Read a container strictly from its first byte to its last, in constant memory.

Each frame is verified before its raw bytes are handed on. The errors of one container
are the same, and come in the same order, for any number of threads and any sizes in
which its bytes arrive.
"""

from __future__ import annotations

from collections import deque

from paxect_core import errors, limits, wire
from paxect_core.checksum import crc32
from paxect_core.codec import CODEC_VERSION, Decompressor
from paxect_core.digest import sha256
from paxect_core.parallel import (
    Job,
    Lane,
    check_threads,
    keep_freed_memory,
)
from paxect_core.results import DecodeResult, Frame
from paxect_core.streams import HeldBack, write_all
from paxect_core.window import window_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from paxect_core.streams import CancelSignal, Progress, Readable, Writable


class FrameTask:
    """One frame on its way from its body to verified raw bytes."""

    __slots__ = ("body", "decompressor", "header", "index", "offset", "raw")

    def __init__(
        self,
        header: wire.FrameHeader,
        body: bytes | memoryview,
        decompressor: Decompressor,
        *,
        index: int,
        offset: int,
    ) -> None:
        self.header = header
        self.body = body
        self.decompressor = decompressor
        self.index = index
        self.offset = offset
        self.raw = b""

    def unpack(self) -> None:
        """Set `raw`, or raise if the body does not hold what its header says."""
        body_offset = self.offset + limits.FRAME_HEADER_BYTES
        raw = self.decompressor.decompress(
            self.body, self.header.raw_bytes, offset=body_offset, frame=self.index
        )
        found = crc32(raw)
        if found != self.header.crc32:
            raise errors.CrcMismatch(
                f"CRC32 is {found:08x}, the frame header says {self.header.crc32:08x}",
                offset=self.offset + 10,
                frame=self.index,
            )
        self.raw = raw
        self.body = b""


class ContainerScan:
    """Header, frames and footer of one container, in their order.

    Iterating gives each frame, its body not yet unpacked, and at the end checks the
    footer's counts. Digests are the caller's.
    """

    def __init__(
        self, source: Readable, *, lenient: bool, container_digest: bool
    ) -> None:
        self._held = HeldBack(source, limits.FOOTER_BYTES)
        self.digest_parts: deque[bytes | memoryview] | None = (
            deque() if container_digest else None
        )
        start = self._held.peek(limits.HEADER_BYTES)
        self.settings = wire.unpack_header(start, lenient=lenient)
        if not self._held.has(limits.HEADER_BYTES):
            size = self._held.offset_read
            raise errors.Truncated(
                f"a container takes at least 68 bytes, {size} are there", offset=size
            )
        self._take(limits.HEADER_BYTES)
        self._sequence = wire.FrameSequence(self.settings, lenient=lenient)
        self._decompressor = Decompressor(self.settings.frame_bytes)
        self.footer = wire.Footer(0, 0, b"")
        self.footer_offset = 0

    @property
    def container_bytes(self) -> int:
        """Bytes taken so far; all of them at the end."""
        return self._held.offset

    def __iter__(self) -> Iterator[FrameTask]:
        while self._held.has(1):
            yield self._next_frame()
        self.footer_offset = self._held.offset
        rest = self._held.take_rest()
        if self.digest_parts is not None:
            self.digest_parts.append(rest)
        self.footer = wire.unpack_footer(rest)
        self._sequence.finish(self.footer, offset=self.footer_offset)

    def _take(self, size: int) -> bytes | memoryview:
        data = self._held.take(size)
        if self.digest_parts is not None:
            self.digest_parts.append(data)
        return data

    def _next_frame(self) -> FrameTask:
        held, sequence = self._held, self._sequence
        offset, frames, raw_bytes = held.offset, sequence.frames, sequence.raw_bytes
        start: bytes | memoryview = b""
        try:
            if not held.has(limits.FRAME_HEADER_BYTES):
                raise self._truncated("frame header", frames)
            start = self._take(limits.FRAME_HEADER_BYTES)
            header = wire.unpack_frame_header(start)
            sequence.append(header, offset=offset)
            if not held.has(header.compressed_bytes):
                raise self._truncated("frame body", frames)
        except errors.StructureError:
            # A footer read as a frame header: then the container was over already.
            footer_bytes = limits.FOOTER_BYTES - len(start)
            footer = wire.unpack_footer(bytes(start) + held.peek(footer_bytes))
            if (footer.frames, footer.raw_bytes) == (frames, raw_bytes):
                raise errors.TrailingData(
                    "something follows the footer", offset=offset + limits.FOOTER_BYTES
                ) from None
            raise
        body = self._take(header.compressed_bytes)
        return FrameTask(header, body, self._decompressor, index=frames, offset=offset)

    def _truncated(self, what: str, frame: int) -> errors.Truncated:
        return errors.Truncated(
            f"the container ends within a {what}",
            offset=self._held.offset_read,
            frame=frame,
        )


class _Decoding:
    """The state of one decode call: lanes, digests, and the frames in flight."""

    def __init__(
        self,
        scan: ContainerScan,
        sink: Writable | None,
        progress: Progress | None,
        *,
        bulk: bool,
        window: int,
        lanes: tuple[Lane, Lane],
    ) -> None:
        self._scan = scan
        self._sink = sink
        self._progress = progress
        self._window = window
        self._unpack_lane, self._digest_lane = lanes
        self._raw_digest = sha256(bulk=bulk)
        self._container_digest = sha256(bulk=bulk)
        self._in_flight: deque[tuple[FrameTask, Job]] = deque()
        self._unhashed: deque[Job] = deque()
        self.raw_bytes = 0

    def put(self, task: FrameTask) -> None:
        """Take in the next frame; hand on what is verified."""
        self._in_flight.append((task, self._unpack_lane.submit(task.unpack)))
        if len(self._in_flight) >= self._window:
            self._hand_on_oldest()

    def flush(self) -> None:
        """Hand on all frames in flight."""
        while self._in_flight:
            self._hand_on_oldest()

    def _hand_on_oldest(self) -> None:
        task, unpacked = self._in_flight.popleft()
        unpacked.wait()
        raw, parts = task.raw, self._container_parts()
        # Not by way of self, which holds the job that holds this: no cycles.
        raw_digest, container_digest = self._raw_digest, self._container_digest

        def update() -> None:
            raw_digest.update(raw)
            for part in parts:
                container_digest.update(part)

        self._unhashed.append(self._digest_lane.submit(update))
        if self._sink is not None:
            write_all(self._sink, raw)
        self.raw_bytes += len(raw)
        if len(self._unhashed) > self._window:
            self._unhashed.popleft().wait()
        if self._progress is not None:
            self._progress(self.raw_bytes, self._scan.container_bytes)

    def _container_parts(self) -> list[bytes | memoryview]:
        parts = self._scan.digest_parts
        if not parts:
            return []
        return [parts.popleft() for _ in range(len(parts))]

    def finish(self) -> DecodeResult:
        """Check the digest, once all frames were handed on."""
        while self._unhashed:
            self._unhashed.popleft().wait()
        for part in self._container_parts():
            self._container_digest.update(part)
        scan = self._scan
        raw_sha256 = self._raw_digest.digest()
        if raw_sha256 != scan.footer.raw_sha256:
            raise errors.DigestMismatch(
                f"SHA-256 is {raw_sha256.hex()}, "
                f"the footer says {scan.footer.raw_sha256.hex()}",
                offset=scan.footer_offset + 12,
            )
        return DecodeResult(
            raw_bytes=self.raw_bytes,
            frames=scan.footer.frames,
            raw_sha256=raw_sha256.hex(),
            container_bytes=scan.container_bytes,
            container_sha256=(
                None
                if scan.digest_parts is None
                else self._container_digest.hexdigest()
            ),
            settings=scan.settings,
            codec_version=CODEC_VERSION,
        )


def decode(
    source: Readable,
    sink: Writable | None,
    *,
    threads: int = 1,
    lenient: bool = False,
    container_digest: bool = True,
    input_bytes_max: int | None = None,
    progress: Progress | None = None,
    cancel: CancelSignal | None = None,
) -> DecodeResult:
    """Read the container `source` to its end and write its raw bytes to `sink`.

    Without a sink it is verified all the same. Raises a `ContainerError` for the first
    rule that is broken, with the number of raw bytes handed on by then; each of those
    belongs to a verified frame. More than one thread decompresses side by side.
    """
    check_threads(threads)
    scan = ContainerScan(source, lenient=lenient, container_digest=container_digest)
    tasks = iter(scan)
    first = next(tasks, None)
    # A container of a single frame leaves nothing to do side by side.
    single_frame = first is None or first.header.raw_bytes < scan.settings.frame_bytes
    if not single_frame:
        keep_freed_memory()
    if threads == 1 or single_frame:
        threads = 0
    with Lane(threads) as unpacking, Lane(1 if threads else 0) as hashing:
        decoding = _Decoding(
            scan,
            sink,
            progress,
            bulk=not single_frame,
            window=window_frames(threads, scan.settings.frame_bytes),
            lanes=(unpacking, hashing),
        )
        try:
            _decode_frames(
                decoding, first, tasks, input_bytes_max=input_bytes_max, cancel=cancel
            )
            return decoding.finish()
        except errors.ContainerError as error:
            error.raw_bytes_passed = decoding.raw_bytes if sink is not None else 0
            raise


def _decode_frames(
    decoding: _Decoding,
    first: FrameTask | None,
    tasks: Iterator[FrameTask],
    *,
    input_bytes_max: int | None,
    cancel: CancelSignal | None,
) -> None:
    task, total = first, 0
    while task is not None:
        total += task.header.raw_bytes
        if input_bytes_max is not None and total > input_bytes_max:
            decoding.flush()  # what came before is handed on, whatever the threads
            raise errors.InputTooLarge(
                f"the container's raw bytes exceed the cap of {input_bytes_max} bytes"
            )
        if cancel is not None and cancel.is_set():
            raise errors.Cancelled("cancelled while decoding")
        decoding.put(task)
        try:
            task = next(tasks, None)
        except errors.ContainerError:
            # Frames before the broken place come first, and so do their errors.
            decoding.flush()
            raise
    decoding.flush()


def verify(
    source: Readable,
    *,
    threads: int = 1,
    lenient: bool = False,
    container_digest: bool = True,
    input_bytes_max: int | None = None,
    progress: Progress | None = None,
    cancel: CancelSignal | None = None,
) -> DecodeResult:
    """Do all of `decode` but writing."""
    return decode(
        source,
        None,
        threads=threads,
        lenient=lenient,
        container_digest=container_digest,
        input_bytes_max=input_bytes_max,
        progress=progress,
        cancel=cancel,
    )


def iterate_frames(source: Readable, *, lenient: bool = False) -> Iterator[Frame]:
    """Give each frame once it is verified; at the end check footer and digest.

    Whoever stops early has verified frames, but not a whole container.
    """
    scan = ContainerScan(source, lenient=lenient, container_digest=False)
    digest = sha256(bulk=True)
    raw_offset = 0
    for task in scan:
        task.unpack()
        digest.update(task.raw)
        yield Frame(task.index, task.header.channel, raw_offset, task.raw)
        raw_offset += len(task.raw)
    if digest.digest() != scan.footer.raw_sha256:
        raise errors.DigestMismatch(
            f"SHA-256 is {digest.hexdigest()}, "
            f"the footer says {scan.footer.raw_sha256.hex()}",
            offset=scan.footer_offset + 12,
        )
