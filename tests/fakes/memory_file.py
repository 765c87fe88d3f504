"""A file of the share in memory, and what has it open."""

from __future__ import annotations

import io
from collections.abc import Callable

from fakes.clock import FakeClock

from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place


class FileNode:
    """A file; `writers` counts who has it open to write."""

    kind = Kind.FILE

    def __init__(self, inode: int, now_ns: int) -> None:
        self.inode = inode
        self.content = bytearray()
        self.mode = 0o644
        self.mtime_ns = self.ctime_ns = now_ns
        self.writers = 0


class MemoryFile(io.RawIOBase):
    """An open file; `enter` is called before each operation, and may raise."""

    def __init__(
        self,
        place: Place,
        node: FileNode,
        clock: FakeClock,
        enter: Callable[[str, Place], None],
        *,
        writes: bool,
    ) -> None:
        super().__init__()
        self.place = place
        self.node = node
        self.name = str(place)
        self._clock = clock
        self._enter = enter
        self._writes = writes
        self._position = 0
        node.writers += writes

    def readable(self) -> bool:
        return not self._writes

    def writable(self) -> bool:
        return self._writes

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self.check_open()
        if self._writes:
            raise io.UnsupportedOperation("read")
        self._enter("stream.read", self.place)
        end = self._position + len(buffer)
        piece = self.node.content[self._position : end]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        self.check_open()
        if not self._writes:
            raise io.UnsupportedOperation("write")
        self._enter("stream.write", self.place)
        piece = bytes(data)
        end = self._position + len(piece)
        self._reach(self._position)
        self.node.content[self._position : end] = piece
        self._position = end
        self._touch()
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.check_open()
        start = (0, self._position, len(self.node.content))[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        self.check_open()
        self._enter("stream.truncate", self.place)
        size = self._position if size is None else size
        self._reach(size)
        del self.node.content[size:]
        self._touch()
        return size

    def close(self) -> None:
        if not self.closed and self._writes:
            self.node.writers -= 1
        super().close()

    def check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _reach(self, size: int) -> None:
        self.node.content.extend(bytes(max(0, size - len(self.node.content))))

    def _touch(self) -> None:
        self.node.mtime_ns = self.node.ctime_ns = int(self._clock.now() * 1e9)
