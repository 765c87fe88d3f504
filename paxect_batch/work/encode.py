"""Stage the container of one item, verified, beside its sidecar.

The source is read once. What is staged was read back when the outcome says so; it is
durable once the files that stay open for that are synced.
"""

from __future__ import annotations

import hashlib
from typing import IO

import paxect_core
from paxect_batch.model.transfer import Outcome, Result, Task
from paxect_batch.seams import Share
from paxect_batch.work.meter import Meter
from paxect_batch.work.outcomes import SourceChanged, of_file_error, of_source, of_stage
from paxect_batch.work.room import Room
from paxect_batch.work.sources import look_at_source
from paxect_core.writeback import Writeback

_ENCODING_PART = 0.8
"""What of the work is done once the container is written, if it is read back then."""


def encode_item(
    share: Share, task: Task, wrote: list[IO[bytes]], meter: Meter
) -> Outcome:
    """Stage container and sidecar of the task's source.

    The files that it writes are added to `wrote`, open and not synced.
    """
    try:
        source = share.open_source(task.source)
    except OSError as error:
        return of_source(error)
    with source:
        try:
            return _stage(share, task, source, wrote, meter)
        except SourceChanged:
            return Outcome(Result.CHANGED, code="changed")


def _stage(
    share: Share, task: Task, source: IO[bytes], wrote: list[IO[bytes]], meter: Meter
) -> Outcome:
    settings = paxect_core.Settings(
        level=task.level, channels=task.channels, frame_bytes=task.frame_bytes
    )
    part = _ENCODING_PART if task.read_back else 1.0
    size = task.identity.size
    room = Room(share, task, meter.over(task, 0.0, part, raw_bytes=size))
    try:
        if share.facts_of(source).identity != task.identity:
            raise SourceChanged
        wrote.append(sink := share.create(task.stage))
        result = paxect_core.encode(
            source,
            Writeback(sink),
            settings,
            threads=task.threads,
            progress=room,
        )
        check_unchanged(share, task, source)
        if task.read_back:
            problem = _read_back(share, task, result, meter)
            if problem:
                return _read_back_failed(problem)
        wrote.append(sidecar := share.create(task.sidecar))
        rest = f"{result.container_sha256}\n".encode()
        while rest:
            rest = rest[sidecar.write(rest) :]
    except paxect_core.FileError as error:
        return room.judged(of_file_error(error))
    except OSError as error:
        return room.judged(of_stage(error))
    return Outcome(
        Result.STAGED,
        raw_bytes=result.raw_bytes,
        raw_sha256=result.raw_sha256,
        container_bytes=result.container_bytes,
        container_sha256=result.container_sha256,
        frames=result.frames,
        biased=task.twice and _biased(share, task, source, result),
    )


def check_unchanged(share: Share, task: Task, source: IO[bytes]) -> None:
    """Raise `SourceChanged` unless source and name are still what was admitted."""
    named = look_at_source(share, task.source)
    if (
        share.facts_of(source).identity != task.identity
        or named is None
        or named.identity != task.identity
    ):
        raise SourceChanged


def _read_back(
    share: Share, task: Task, wrote: paxect_core.EncodeResult, meter: Meter
) -> str:
    progress = meter.over(task, _ENCODING_PART, 1.0, raw_bytes=wrote.raw_bytes)
    with share.open_source(task.stage) as stage:
        try:
            read = paxect_core.verify(stage, threads=task.threads, progress=progress)
        except paxect_core.ContainerError as error:
            return str(error)
    if (read.raw_sha256, read.container_sha256) != (
        wrote.raw_sha256,
        wrote.container_sha256,
    ):
        return "its digests are not those that were written"
    return ""


def _read_back_failed(problem: str) -> Outcome:
    return Outcome(
        Result.FAILED,
        code="read-back",
        detail=f"what was staged did not read back: {problem}",
    )


class _Digest:
    """A sink that keeps the SHA-256 of what it is given and nothing else."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        """Take in all of the data."""
        self.sha256.update(data)
        return len(data)


def _biased(
    share: Share, task: Task, source: IO[bytes], first: paxect_core.EncodeResult
) -> bool:
    """Encode once more, with another number of threads, and compare."""
    sink = _Digest()
    threads = 1 if task.threads > 1 else 2
    try:
        source.seek(0)
        paxect_core.encode(source, sink, first.settings, threads=threads)
        check_unchanged(share, task, source)
    except (paxect_core.FileError, OSError, SourceChanged):
        return False  # the source cannot be read again; that proves nothing
    return sink.sha256.hexdigest() != first.container_sha256
