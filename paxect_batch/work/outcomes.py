"""Tell a failure of one item from a failure of the share, as an outcome."""

from __future__ import annotations

import errno

from paxect_batch.model.errors import Exit
from paxect_batch.model.transfer import Outcome, Result
from paxect_core.errors import FileError, OutputError

_OF_THE_ITEM = frozenset(
    (errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EINVAL)
)
_GONE = frozenset((errno.ENOENT, errno.ESTALE, errno.ENOTDIR))


class SourceChanged(Exception):
    """The source is another one now, or was written while it was read."""


def of_source(error: OSError) -> Outcome:
    """Return what an error while opening or reading the source means."""
    number = error.errno or 0
    if number in _GONE:
        return Outcome(Result.GONE, code="vanished", errno=number)
    detail = f"reading it gave {error.strerror or error}"
    if number in _OF_THE_ITEM:
        return Outcome(
            Result.REFUSED,
            code="unreadable",
            detail=detail,
            errno=number,
            exit_code=Exit.UNFINISHED,
        )
    return Outcome(Result.FAILED, code="io-error", detail=detail, errno=number)


def of_stage(error: OSError) -> Outcome:
    """Return what an error while staging means: the share's trouble, not the item's."""
    return Outcome(
        Result.FAILED,
        code="io-error",
        detail=f"staging gave {error.strerror or error}",
        errno=error.errno or errno.EIO,
    )


def is_full(outcome: Outcome) -> bool:
    """Tell whether there was no room for what was to be staged."""
    return outcome.errno in (errno.ENOSPC, errno.EDQUOT)


def lacks_room(outcome: Outcome) -> bool:
    """Tell the same, also of a file system or user that may have none so large."""
    return is_full(outcome) or outcome.errno == errno.EFBIG


def of_file_error(error: FileError) -> Outcome:
    """Return what an error out of the container engine means."""
    cause = error.__cause__
    if not isinstance(cause, OSError):
        return Outcome(
            Result.FAILED, code="io-error", detail=error.message, errno=errno.EIO
        )
    return of_stage(cause) if isinstance(error, OutputError) else of_source(cause)
