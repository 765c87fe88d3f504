"""Read and write whole what streams give and take in pieces."""

from __future__ import annotations

import errno
from typing import IO

from paxect_batch.model.places import Place


def read_whole(stream: IO[bytes], bytes_max: int, place: Place) -> bytes:
    """Return all that is left; `OSError` EFBIG if that is more than the limit."""
    data = bytearray()
    while len(data) <= bytes_max:
        piece = stream.read(bytes_max + 1 - len(data))
        if not piece:
            return bytes(data)
        data += piece
    raise OSError(errno.EFBIG, f"larger than {bytes_max} bytes", str(place))


def read_part(stream: IO[bytes], bytes_max: int) -> bytes:
    """Return what comes next, up to so many bytes; less only where the file ends."""
    data = bytearray()
    while len(data) < bytes_max:
        piece = stream.read(bytes_max - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)


def write_whole(stream: IO[bytes], data: bytes) -> None:
    """Write all of it."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]
