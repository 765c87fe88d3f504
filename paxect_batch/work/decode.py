"""Stage the file that one container holds, once every byte of it was verified.

The sidecar, if there is one, is checked as well: what it says of a damaged container
goes before what the container itself says. What is staged is durable once the file
that stays open for that is synced.
"""

from __future__ import annotations

import errno
import hashlib
from typing import IO

import paxect_core
from paxect_batch.model.errors import Exit
from paxect_batch.model.items import Kind
from paxect_batch.model.transfer import Outcome, Result, Task
from paxect_batch.report.checksums import digest_in
from paxect_batch.seams import Share
from paxect_batch.work.encode import check_unchanged
from paxect_batch.work.meter import Meter, Pass
from paxect_batch.work.outcomes import (
    SourceChanged,
    of_file_error,
    of_source,
    of_stage,
)
from paxect_batch.work.room import Room
from paxect_core.errors import InputTooLarge
from paxect_core.writeback import Writeback

SIDECAR_BYTES_MAX = 4096
_CHUNK_BYTES = 1 << 20
_DECODING_PART = 0.6
"""What of the work is done once the raw bytes are written, if they are read back."""


def decode_item(
    share: Share, task: Task, wrote: list[IO[bytes]], meter: Meter
) -> Outcome:
    """Stage the raw bytes of the task's container.

    The file that it writes is added to `wrote`, open and not synced.
    """
    part = _DECODING_PART if task.read_back else 1.0
    size = task.identity.size
    room = Room(share, task, meter.over(task, 0.0, part, container_bytes=size))
    try:
        source = share.open_source(task.source)
    except OSError as error:
        return of_source(error)
    with source:
        try:
            if share.facts_of(source).identity != task.identity:
                raise SourceChanged
            expected = _sidecar_digest(share, task)
            return _stage(share, task, source, expected, wrote, room=room, meter=meter)
        except SourceChanged:
            return Outcome(Result.CHANGED, code="changed")
        except _Refused as error:
            return error.outcome
        except paxect_core.ContainerError as error:
            return _told_apart(source, error, expected)
        except (paxect_core.FileError, OSError) as error:
            outcome = (
                of_stage(error) if isinstance(error, OSError) else of_file_error(error)
            )
            return room.judged(outcome)


def _stage(
    share: Share,
    task: Task,
    source: IO[bytes],
    expected: str | None,
    wrote: list[IO[bytes]],
    *,
    room: Room,
    meter: Meter,
) -> Outcome:
    wrote.append(sink := share.create(task.stage))
    result = _decoded(task, source, sink, room)
    check_unchanged(share, task, source)
    if expected is not None and expected != result.container_sha256:
        return _mismatch(expected, str(result.container_sha256))
    if task.read_back and _read_back(share, task, result, meter) != result.raw_sha256:
        return Outcome(
            Result.FAILED,
            code="read-back",
            detail="what was staged did not read back: its SHA-256 differs",
        )
    if task.dressed_as in ("", result.container_sha256):
        # Afterwards, as its own user may not be one to read it then.
        share.dress(sink, mtime_ns=task.mtime_ns, mode=task.mode)
    return Outcome(
        Result.STAGED,
        raw_bytes=result.raw_bytes,
        raw_sha256=result.raw_sha256,
        container_bytes=result.container_bytes,
        container_sha256=str(result.container_sha256),
        frames=result.frames,
    )


def _decoded(
    task: Task, source: IO[bytes], sink: IO[bytes], room: Room
) -> paxect_core.DecodeResult:
    try:
        return paxect_core.decode(
            source,
            Writeback(sink),
            threads=task.threads,
            input_bytes_max=task.raw_bytes_max or None,
            progress=room,
        )
    except InputTooLarge as error:
        # A few bytes can hold more than the disk does; that is no fault of the share.
        raise _Refused(
            code="file_too_large", detail=str(error), exit_code=Exit.UNFINISHED
        ) from error


class _Refused(Exception):
    """The item cannot be taken, whatever its container holds; `outcome` says why."""

    def __init__(self, *, code: str, detail: str, exit_code: Exit) -> None:
        super().__init__(detail)
        self.outcome = Outcome(
            Result.REFUSED, code=code, detail=detail, exit_code=exit_code
        )


def _sidecar_digest(share: Share, task: Task) -> str | None:
    try:
        data = share.read(task.sidecar, SIDECAR_BYTES_MAX)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise _Refused(
                code="unreadable",
                detail=f"reading its sidecar gave {error.strerror or error}",
                exit_code=Exit.UNFINISHED,
            ) from error
        if error.errno != errno.EFBIG:
            facts = share.look(task.sidecar)
            if facts is None or facts.kind is Kind.FILE:
                raise
        raise _Refused(
            code="checksum_mismatch",
            detail="what has its sidecar's name is no checksum: "
            f"{error.strerror or error}",
            exit_code=Exit.INTEGRITY,
        ) from error
    return None if data is None else digest_in(data)


def _told_apart(
    source: IO[bytes],
    error: paxect_core.ContainerError,
    expected: str | None,
) -> Outcome:
    """Return whether the sidecar tells of the damage, or only the container itself."""
    if expected is not None:
        try:
            source.seek(0)
            found = _digest_of(source)
        except OSError as unread:
            return of_source(unread)
        if found != expected:
            return _mismatch(expected, found)
    return Outcome(
        Result.REFUSED, code=error.code, detail=str(error), exit_code=error.exit_code
    )


def _mismatch(expected: str, found: str) -> Outcome:
    return Outcome(
        Result.REFUSED,
        code="checksum_mismatch",
        detail=f"sidecar sha256 mismatch: it says {expected[:64]}, "
        f"the container has {found}",
        exit_code=Exit.INTEGRITY,
    )


def _read_back(
    share: Share, task: Task, wrote: paxect_core.DecodeResult, meter: Meter
) -> str:
    progress = meter.over(task, _DECODING_PART, 1.0, raw_bytes=wrote.raw_bytes)
    with share.open_source(task.stage) as stage:
        return _digest_of(stage, progress)


def _digest_of(stream: IO[bytes], progress: Pass | None = None) -> str:
    digest = hashlib.sha256()
    done = 0
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, 0)
    return digest.hexdigest()
