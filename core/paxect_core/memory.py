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
    limit = input_bytes_max or cap.memory_bytes_max(os.environ)
    _check(len(data), limit)
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
    limit = input_bytes_max or cap.memory_bytes_max(os.environ)
    _check(len(container), limit)
    sink = io.BytesIO()
    reader.decode(
        io.BytesIO(container),
        sink,
        threads=threads,
        lenient=lenient,
        container_digest=False,
        input_bytes_max=limit,
    )
    return sink.getvalue()


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise errors.InputTooLarge(
            f"{size} bytes exceed the cap of {limit}; "
            f"raise {cap.VARIABLE} or use streams, which have none"
        )
