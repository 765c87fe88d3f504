"""An open file of the simulated share."""

from __future__ import annotations

import io

from calls import Calls
from disk import File


class SimFile(io.RawIOBase):
    """An open file."""

    def __init__(self, calls: Calls, path: str, node: File, *, writes: bool) -> None:
        super().__init__()
        self.path = path
        self.node = node
        self.name = path
        self._calls = calls
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
        self._calls.enter("read", self.path)
        piece = self.node.content[self._position : self._position + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        piece = bytes(data)
        before = self.node.content
        end = self._position + len(piece)
        content = before[: self._position].ljust(self._position, b"\0") + piece
        self._calls.write(self.path, self.node, content + before[end:])
        self._position = end
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = (0, self._position, len(self.node.content))[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        content = self.node.content[:size].ljust(size, b"\0")
        self._calls.write(self.path, self.node, content)
        return size

    def close(self) -> None:
        if not self.closed and self._writes:
            self.node.writers = max(self.node.writers - 1, 0)
        super().close()
