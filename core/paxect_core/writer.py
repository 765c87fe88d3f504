"""Write a container from a stream of raw bytes.

The bytes depend on the input, the settings and the codec version alone: neither the
number of threads nor the sizes in which the input arrives change any.
"""

from __future__ import annotations

from collections import deque

from paxect_core import errors, limits, wire
from paxect_core.checksum import crc32
from paxect_core.codec import CODEC_VERSION, Compressor, kept_compressor
from paxect_core.digest import sha256
from paxect_core.parallel import (
    Job,
    Lane,
    check_threads,
    keep_freed_memory,
)
from paxect_core.results import EncodeResult
from paxect_core.streams import read_full, write_all
from paxect_core.window import window_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from paxect_core.streams import CancelSignal, Progress, Readable, Writable


_KEPT_FRAME_BYTES_MAX = 1 << 20
"""Contexts for larger inputs may take hundreds of megabytes, and are not kept."""

_WRITTEN_BYTES_MIN = 64 << 10
"""Less than that is written together with what follows."""


class _FrameTask:
    """One frame on its way from raw bytes to what is written."""

    __slots__ = ("body", "compressor", "header", "index", "raw", "settings")

    def __init__(
        self, index: int, raw: bytes, settings: wire.Settings, compressor: Compressor
    ) -> None:
        self.index = index
        self.raw = raw
        self.settings = settings
        self.compressor = compressor
        self.header = b""
        self.body = b""

    def pack(self) -> None:
        self.body = self.compressor.compress(self.raw)
        self.header = wire.pack_frame_header(
            wire.FrameHeader(
                self.index % self.settings.channels,
                len(self.body),
                len(self.raw),
                crc32(self.raw),
            )
        )


class _Encoding:
    """The state of one encode call: lanes, digests, and the frames in flight."""

    def __init__(
        self,
        sink: Writable,
        settings: wire.Settings,
        progress: Progress | None,
        *,
        bulk: bool,
        window: int,
        lanes: tuple[Lane, Lane, Lane],
    ) -> None:
        self._sink = sink
        self._settings = settings
        self._progress = progress
        self._window = window
        self._pack_lane, self._raw_lane, self._container_lane = lanes
        level = settings.level
        keeps = not bulk and settings.frame_bytes <= _KEPT_FRAME_BYTES_MAX
        self._compressor = kept_compressor(level) if keeps else Compressor(level)
        self._raw_digest = sha256(bulk=bulk)
        self._container_digest = sha256(bulk=bulk)
        self._in_flight: deque[tuple[_FrameTask, Job, Job]] = deque()
        self._unhashed: deque[Job] = deque()
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._frames = 0
        self._raw_bytes = 0
        self._raw_bytes_done = 0
        self._container_bytes = 0

    def put(self, raw: bytes) -> None:
        """Take in the next frame's raw bytes; write what is ready."""
        if self._frames == limits.FRAMES_MAX:
            raise errors.UsageError(
                f"the input needs more than {limits.FRAMES_MAX} frames; "
                "choose a larger frame size"
            )
        task = _FrameTask(self._frames, raw, self._settings, self._compressor)
        self._frames += 1
        self._raw_bytes += len(raw)
        packed = self._pack_lane.submit(task.pack)
        raw_digest = self._raw_digest  # not self, for the sake of no cycles
        hashed = self._raw_lane.submit(lambda: raw_digest.update(raw))
        self._in_flight.append((task, packed, hashed))
        if len(self._in_flight) >= self._window:
            self._write_oldest()

    def _write_oldest(self) -> None:
        task, packed, hashed = self._in_flight.popleft()
        packed.wait()
        self.write(task.header, task.body)
        hashed.wait()
        self._raw_bytes_done += len(task.raw)
        if self._progress is not None:
            self._progress(self._raw_bytes_done, self._container_bytes)

    def write(self, *parts: bytes) -> None:
        """Write parts of the container and have them hashed, small ones together."""
        self._unwritten += parts
        size = sum(map(len, parts))
        self._unwritten_bytes += size
        self._container_bytes += size
        if self._unwritten_bytes >= _WRITTEN_BYTES_MIN:
            self._flush()

    def _flush(self) -> None:
        parts, self._unwritten = self._unwritten, []
        if self._unwritten_bytes < _WRITTEN_BYTES_MIN:
            parts = [b"".join(parts)]
        self._unwritten_bytes = 0
        container_digest = self._container_digest

        def update() -> None:
            for part in parts:
                container_digest.update(part)

        self._unhashed.append(self._container_lane.submit(update))
        for part in parts:
            write_all(self._sink, part)
        if len(self._unhashed) > self._window:
            self._unhashed.popleft().wait()

    def finish(self) -> EncodeResult:
        """Write all that is left, and the footer."""
        while self._in_flight:
            self._write_oldest()
        raw_sha256 = self._raw_digest.digest()
        self.write(
            wire.pack_footer(wire.Footer(self._raw_bytes, self._frames, raw_sha256))
        )
        self._flush()
        while self._unhashed:
            self._unhashed.popleft().wait()
        return EncodeResult(
            raw_bytes=self._raw_bytes,
            frames=self._frames,
            raw_sha256=raw_sha256.hex(),
            container_bytes=self._container_bytes,
            container_sha256=self._container_digest.hexdigest(),
            settings=self._settings,
            codec_version=CODEC_VERSION,
        )


def encode(
    source: Readable,
    sink: Writable,
    settings: wire.Settings | None = None,
    *,
    threads: int = 1,
    input_bytes_max: int | None = None,
    progress: Progress | None = None,
    cancel: CancelSignal | None = None,
) -> EncodeResult:
    """Read `source` to its end and write it to `sink` as one container.

    More than one thread compresses frames side by side, with both digests in threads
    of their own. Raises `InputTooLarge` beyond `input_bytes_max`, `Cancelled` soon
    after the signal; what `sink` holds then is no container.
    """
    settings = settings or wire.Settings()
    settings.check()
    check_threads(threads)
    first = read_full(source, settings.frame_bytes)
    # An input of a single frame leaves nothing to do side by side.
    single_frame = len(first) < settings.frame_bytes
    if not single_frame:
        keep_freed_memory()
    if threads == 1 or single_frame:
        threads = 0
    apart = 1 if threads else 0
    with Lane(threads) as packing, Lane(apart) as hashing, Lane(apart) as sealing:
        encoding = _Encoding(
            sink,
            settings,
            progress,
            bulk=not single_frame,
            window=window_frames(threads, settings.frame_bytes),
            lanes=(packing, hashing, sealing),
        )
        encoding.write(wire.pack_header(settings))
        raw, total = first, 0
        while raw:
            total += len(raw)
            if input_bytes_max is not None and total > input_bytes_max:
                raise errors.InputTooLarge(
                    f"the input exceeds the cap of {input_bytes_max} bytes"
                )
            if cancel is not None and cancel.is_set():
                raise errors.Cancelled("cancelled while encoding")
            encoding.put(raw)
            if len(raw) < settings.frame_bytes:
                break
            raw = read_full(source, settings.frame_bytes)
        return encoding.finish()
