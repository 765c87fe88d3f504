"""A share whose sources are read no faster than a limit, for workers with one.

The relay sees to it that files together keep to the limit; here one file alone does,
which may be long. A read that comes early waits, and nothing is saved up for later.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from typing import IO

from paxect_batch.model.places import Place, Root
from paxect_batch.world.share import LocalShare

_PIECE_SECONDS = 0.25
"""One read gives what may be read in this time at most."""


class SlowReads(LocalShare):
    """See `seams.Share`; reads of `open_source` take their time."""

    def __init__(
        self,
        roots: Mapping[Root, str | bytes],
        *,
        rate_bytes: int,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(roots)
        self._rate_bytes = rate_bytes
        self._monotonic = monotonic
        self._sleep = sleep

    def open_source(self, place: Place) -> IO[bytes]:
        """See `seams.Share`."""
        stream = super().open_source(place)
        # As good as the raw file that it stands for.
        return _SlowStream(  # type: ignore[return-value]
            stream, self._rate_bytes, self._monotonic, self._sleep
        )


class _SlowStream(io.RawIOBase):
    """Reads on from a stream at a limited rate."""

    def __init__(
        self,
        inner: IO[bytes],
        rate_bytes: int,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._inner = inner
        self._rate_bytes = rate_bytes
        self._monotonic = monotonic
        self._sleep = sleep
        self._free_at = monotonic()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._inner.fileno()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._inner.seek(offset, whence)

    def readinto(self, buffer: object) -> int:
        """Read into the buffer, when it is time."""
        wait = self._free_at - self._monotonic()
        if wait > 0:
            self._sleep(wait)
        view = memoryview(buffer)  # type: ignore[arg-type]
        most = max(int(self._rate_bytes * _PIECE_SECONDS), 1)
        data = self._inner.read(min(len(view), most))
        view[: len(data)] = data
        self._free_at = max(self._free_at, self._monotonic()) + (
            len(data) / self._rate_bytes
        )
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()
