"""Read and write binary streams of any kind exactly: files, pipes, sockets, memory.

Short reads, short writes and non-blocking descriptors are the caller's daily life and
end here; failures come out as `InputError` and `OutputError`.
"""

from __future__ import annotations

import sys
from collections import deque

from paxect_core import errors, limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Readable(Protocol):
        """Anything with `read(n)` of a binary file, raw or buffered.

        Where `read` may answer None, not ready yet, there is a `fileno()` to wait on.
        """

        def read(self, size: int, /) -> bytes | None: ...  # noqa: D102

    class Writable(Protocol):
        """Anything with `write(data)` of a binary file, raw or buffered.

        Where `write` may answer None, not ready yet, there is a `fileno()` to wait on.
        """

        def write(self, data: bytes | memoryview, /) -> int | None: ...  # noqa: D102

    class CancelSignal(Protocol):
        """Anything with `is_set()`, such as a `threading.Event`."""

        def is_set(self) -> bool: ...  # noqa: D102

    Progress = Callable[[int, int], object]
    """Called with the raw and the container bytes done so far."""


def name_of(stream: object) -> str:
    """Return what to call the stream in a message."""
    name = getattr(stream, "name", None)
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    if isinstance(name, str):
        return repr(name)
    if name in (0, 1):
        return ("standard input", "standard output")[name]
    return "the stream"


def read_some(stream: Readable, size: int) -> bytes:
    """Return 1 to `size` bytes, waiting for them, or none at the end."""
    while True:
        try:
            data = stream.read(size)
        except BlockingIOError:
            data = None
        except OSError as error:
            raise errors.InputError(
                f"reading {name_of(stream)} gave {error.strerror or error}"
            ) from error
        if data is not None:
            return data
        _wait(stream, writing=False)


def read_full(stream: Readable, size: int) -> bytes:
    """Return exactly `size` bytes, or fewer at the end of the stream."""
    data = read_some(stream, size)
    if len(data) == size or not data:
        return data
    parts = [data]
    missing = size - len(data)
    while missing:
        data = read_some(stream, missing)
        if not data:
            break
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def write_all(stream: Writable, data: bytes | memoryview) -> None:
    """Write the data whole, waiting for slow readers."""
    rest = data
    while True:
        try:
            written = stream.write(rest)
        except BlockingIOError as error:
            written = error.characters_written
        except OSError as error:
            raise errors.OutputError(
                f"writing {name_of(stream)} gave {error.strerror or error}"
            ) from error
        if written == len(rest):
            return
        if not written:
            _wait(stream, writing=True)
        else:
            rest = memoryview(rest)[written:]


def _wait(stream: object, *, writing: bool) -> None:
    import select

    fd = stream.fileno()  # type: ignore[attr-defined]
    if sys.platform == "win32":  # pragma: no cover  elsewhere poll knows every fd
        select.select([] if writing else [fd], [fd] if writing else [], [], 1.0)
    else:
        # Not select, which refuses descriptors above 1023.
        poll = select.poll()
        poll.register(fd, select.POLLOUT if writing else select.POLLIN)
        poll.poll(1000)


class HeldBack:
    """A stream read forward of which the last `hold` bytes stay until the end.

    The footer of a container is recognised only by what follows it: nothing. `offset`
    is the position of the next byte that `take` gives.
    """

    __slots__ = ("_chunks", "_count", "_ended", "_head", "_hold", "_stream", "offset")

    def __init__(self, stream: Readable, hold: int) -> None:
        self._stream = stream
        self._hold = hold
        self._chunks: deque[bytes] = deque()
        self._head = 0
        self._count = 0
        self._ended = False
        self.offset = 0

    def has(self, size: int) -> bool:
        """Tell whether `size` bytes precede those held back."""
        return self._fill(size + self._hold)

    @property
    def offset_read(self) -> int:
        """The position up to which the stream was read."""
        return self.offset + self._count

    def peek(self, size: int) -> bytes:
        """Show up to `size` of the next bytes, held back or not, and keep them."""
        self._fill(size)
        joined = b"".join(self._chunks)[self._head :]
        self._chunks, self._head = deque([joined] if joined else []), 0
        return joined[:size]

    def take_rest(self) -> bytes:
        """Give what is left once `has(1)` is false."""
        return bytes(self.take(self._count))

    def _fill(self, size: int) -> bool:
        while self._count < size and not self._ended:
            # Never as much as a length claims: it is not there before it was read.
            chunk = read_some(self._stream, limits.READ_BYTES)
            if chunk:
                self._chunks.append(chunk)
                self._count += len(chunk)
            else:
                self._ended = True
        return self._count >= size

    def take(self, size: int) -> bytes | memoryview:
        """Give the next `size` bytes, of which `has` knew."""
        self.offset += size
        self._count -= size
        if not self._chunks:
            return b""
        first = self._chunks[0]
        end = self._head + size
        if end < len(first):
            view = memoryview(first)[self._head : end]
            self._head = end
            return view
        parts: list[bytes | memoryview] = []
        while size:
            first = self._chunks[0]
            part = memoryview(first)[self._head : self._head + size]
            parts.append(part)
            size -= len(part)
            self._head += len(part)
            if self._head == len(first):
                self._chunks.popleft()
                self._head = 0
        return parts[0] if len(parts) == 1 else b"".join(parts)
