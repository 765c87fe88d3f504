"""Look into a seekable container without decompressing more than is asked for.

Frame headers are hopped over; what is checked of them are the same rules as in
`reader`. Bodies are read, and verified, only for the byte range that is wanted.
"""

from __future__ import annotations

import io

from paxect_core import errors, limits, wire
from paxect_core.codec import Decompressor
from paxect_core.reader import FrameTask
from paxect_core.results import FrameEntry, Inspection
from paxect_core.streams import read_full

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


class Container:
    """A seekable container, opened: its header and footer were read and are possible.

    The stream stays the caller's. The footer's digest and the frames' bodies were not
    checked: `verify` does that.
    """

    def __init__(self, stream: BinaryIO, *, lenient: bool = False) -> None:
        self._stream = stream
        self._lenient = lenient
        size = self._seek(0, io.SEEK_END)
        self._seek(0)
        settings = wire.unpack_header(
            read_full(stream, limits.HEADER_BYTES), lenient=lenient
        )
        if size < limits.CONTAINER_BYTES_MIN:
            raise errors.Truncated(
                f"a container takes at least 68 bytes, {size} are there", offset=size
            )
        self._footer_offset = size - limits.FOOTER_BYTES
        self._seek(self._footer_offset)
        footer = wire.unpack_footer(self._read(limits.FOOTER_BYTES))
        self.inspection = Inspection(settings, footer, size)

    def frames(self) -> Iterator[FrameEntry]:
        """Give each frame's header, seeking over bodies; check counts at the end."""
        settings, footer, _ = self.inspection
        sequence = wire.FrameSequence(settings, lenient=self._lenient)
        offset = limits.HEADER_BYTES
        while offset < self._footer_offset:
            frames, raw_bytes = sequence.frames, sequence.raw_bytes
            try:
                entry = self._next_entry(sequence, offset)
            except errors.StructureError:
                # As in `reader`: the container may have been over already.
                self._seek(offset)
                found = wire.unpack_footer(self._read(limits.FOOTER_BYTES))
                if (found.frames, found.raw_bytes) == (frames, raw_bytes):
                    raise errors.TrailingData(
                        "something follows the footer",
                        offset=offset + limits.FOOTER_BYTES,
                    ) from None
                raise
            offset += limits.FRAME_HEADER_BYTES + entry.compressed_bytes
            yield entry
        sequence.finish(footer, offset=self._footer_offset)

    def _next_entry(self, sequence: wire.FrameSequence, offset: int) -> FrameEntry:
        body = offset + limits.FRAME_HEADER_BYTES
        if body > self._footer_offset:
            raise self._truncated("frame header", sequence.frames)
        self._seek(offset)
        header = wire.unpack_frame_header(self._read(limits.FRAME_HEADER_BYTES))
        entry = FrameEntry(
            number=sequence.frames,
            channel=header.channel,
            offset=offset,
            raw_offset=sequence.raw_bytes,
            compressed_bytes=header.compressed_bytes,
            raw_bytes=header.raw_bytes,
            crc32=header.crc32,
        )
        sequence.append(header, offset=offset)
        if body + header.compressed_bytes > self._footer_offset:
            raise self._truncated("frame body", entry.number)
        return entry

    def read_range(self, start: int, length: int) -> bytes:
        """Return raw bytes `start` to `start + length`, fewer past the end.

        Only the frames concerned are read and verified, each by its CRC32.
        """
        if start < 0 or length < 0:
            raise errors.UsageError(
                f"range {start} + {length} is impossible; use numbers from 0 up"
            )
        end = start + length
        decompressor = Decompressor(self.inspection.settings.frame_bytes)
        parts = []
        for entry in self.frames():
            if entry.raw_offset >= end:
                break
            if entry.raw_offset + entry.raw_bytes > start:
                raw = self._unpack(entry, decompressor)
                low = max(start - entry.raw_offset, 0)
                parts.append(raw[low : end - entry.raw_offset])
        return b"".join(parts)

    def sha256(self) -> str:
        """Read the container whole and return its SHA-256, in hex."""
        import hashlib

        digest = hashlib.sha256()
        self._seek(0)
        while chunk := read_full(self._stream, limits.READ_BYTES):
            digest.update(chunk)
        return digest.hexdigest()

    def _unpack(self, entry: FrameEntry, decompressor: Decompressor) -> bytes:
        self._seek(entry.offset + limits.FRAME_HEADER_BYTES)
        task = FrameTask(
            wire.FrameHeader(
                entry.channel, entry.compressed_bytes, entry.raw_bytes, entry.crc32
            ),
            self._read(entry.compressed_bytes),
            decompressor,
            index=entry.number,
            offset=entry.offset,
        )
        task.unpack()
        return task.raw

    def _truncated(self, what: str, frame: int) -> errors.Truncated:
        return errors.Truncated(
            f"the container ends within a {what}",
            offset=self.inspection.container_bytes,
            frame=frame,
        )

    def _seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._stream.seek(offset, whence)
        except OSError as error:
            raise errors.InputError(
                f"the container cannot be searched: {error.strerror or error}; "
                "copy it into a file first"
            ) from error

    def _read(self, size: int) -> bytes:
        data = read_full(self._stream, size)
        if len(data) != size:
            raise errors.InputError("the container became shorter while it was read")
        return data
