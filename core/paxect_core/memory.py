"""Encode and decode in one call, from bytes to bytes, within the input cap.

The cap counts raw bytes both ways, so that a small container cannot fill the memory.
"""

from __future__ import annotations

import io
import os

from paxect_core import cap, errors, reader, writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from paxect_core.wire import Settings


def encode_bytes(
    data: bytes,
    settings: Settings | None = None,
    *,
    threads: int = 1,
    input_bytes_max: int | None = None,
) -> bytes:
    """Return the container of the data."""
    limit = _limit(input_bytes_max)
    if len(data) > limit:
        raise errors.InputTooLarge(
            f"{len(data)} bytes exceed the cap of {limit}; "
            f"raise {cap.VARIABLE} or use streams, which have none"
        )
    sink = io.BytesIO()
    writer.encode(io.BytesIO(data), sink, settings, threads=threads)
    return sink.getvalue()


def decode_bytes(
    container: bytes,
    *,
    threads: int = 1,
    lenient: bool = False,
    input_bytes_max: int | None = None,
) -> bytes:
    """Return the raw bytes of a container that was found right in every respect."""
    sink = io.BytesIO()
    reader.decode(
        io.BytesIO(container),
        sink,
        threads=threads,
        lenient=lenient,
        container_digest=False,
        input_bytes_max=_limit(input_bytes_max),
    )
    return sink.getvalue()


def _limit(input_bytes_max: int | None) -> int:
    if input_bytes_max is None:
        return cap.memory_bytes_max(os.environ)
    return input_bytes_max
