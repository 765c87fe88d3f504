"""Encode, decode and verify between paths, with outputs that are whole or absent."""

from __future__ import annotations

import os

from paxect_core import errors, reader, writer
from paxect_core.destination import Destination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO

    from paxect_core.results import DecodeResult, EncodeResult
    from paxect_core.streams import CancelSignal, Progress
    from paxect_core.wire import Settings

    Path = str | bytes | os.PathLike[str]


def open_input(path: Path) -> FileIO:
    """Open a file to read, unbuffered; raise `InputError` where that fails."""
    shown = os.fsdecode(path)
    try:
        stream = open(path, "rb", buffering=0)
    except OSError as error:
        raise errors.InputError(
            f"opening {shown!r} gave {error.strerror or error}; "
            "nothing was read or written; check the name and its permissions"
        ) from error
    return stream


def encode_file(
    source: Path,
    destination: Path,
    settings: Settings | None = None,
    *,
    threads: int = 1,
    replace: bool = False,
    input_bytes_max: int | None = None,
    progress: Progress | None = None,
    cancel: CancelSignal | None = None,
) -> EncodeResult:
    """Encode one file; `destination` appears whole and durable, or not at all."""
    with (
        open_input(source) as stream,
        Destination(destination, replace=replace) as output,
    ):
        result = writer.encode(
            stream,
            output.sink,
            settings,
            threads=threads,
            input_bytes_max=input_bytes_max,
            progress=progress,
            cancel=cancel,
        )
        output.publish()
    return result


def decode_file(
    source: Path,
    destination: Path,
    *,
    threads: int = 1,
    replace: bool = False,
    lenient: bool = False,
    container_digest: bool = True,
    input_bytes_max: int | None = None,
    progress: Progress | None = None,
    cancel: CancelSignal | None = None,
) -> DecodeResult:
    """Decode one container; `destination` appears verified, or not at all."""
    with (
        open_input(source) as stream,
        Destination(destination, replace=replace) as output,
    ):
        try:
            result = reader.decode(
                stream,
                output.sink,
                threads=threads,
                lenient=lenient,
                container_digest=container_digest,
                input_bytes_max=input_bytes_max,
                progress=progress,
                cancel=cancel,
            )
        except errors.ContainerError as error:
            if not output.direct:
                error.raw_bytes_passed = 0
            raise
        output.publish()
    return result


def verify_file(
    source: Path,
    *,
    threads: int = 1,
    lenient: bool = False,
    container_digest: bool = True,
    input_bytes_max: int | None = None,
    progress: Progress | None = None,
    cancel: CancelSignal | None = None,
) -> DecodeResult:
    """Do all of `decode_file` but writing."""
    with open_input(source) as stream:
        return reader.verify(
            stream,
            threads=threads,
            lenient=lenient,
            container_digest=container_digest,
            input_bytes_max=input_bytes_max,
            progress=progress,
            cancel=cancel,
        )
