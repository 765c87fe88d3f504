"""Walk once more where what was known before may have misled.

Either us, who trusted a folder in which a name is missing; or an NFS client, which says
ESTALE then: a folder on the way, or the one that is held, was removed by another
client. If it says so again, what was asked for is not there, unless the share as a
whole is not what it was.

Whatever a walk raises in the end tells of places. The system was given the last name of
a path only, or a descriptor.
"""

from __future__ import annotations

import errno
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from paxect_batch.model.places import Place
from paxect_batch.world.tree import tell_places

_MAYBE_MOVED = (errno.ENOENT, errno.ENOTDIR)


class Walk(threading.local):
    """How one thread walks."""

    sees = False
    """Whether it asks the server for every name on the way."""
    trusts = True
    """Whether it goes by what it found a moment ago."""
    has_trusted = False
    """Whether it did."""


class Walker(Protocol):
    """A tree that walks from its roots to places."""

    thread: Walk

    def seeing(self) -> AbstractContextManager[None]:
        """Ask the server for every name on the way, in this thread."""

    def is_stale(self) -> bool:
        """Tell whether a root itself is gone from its server."""


_W = TypeVar("_W", bound=Walker)
_P = ParamSpec("_P")
_T = TypeVar("_T")


def never_stale(
    method: Callable[Concatenate[_W, _P], _T],
) -> Callable[Concatenate[_W, _P], _T]:
    """Let a tree's method, which takes places first, walk once more if it must."""

    @functools.wraps(method)
    def call(self: _W, /, *args: _P.args, **named: _P.kwargs) -> _T:
        this = self.thread
        this.has_trusted = False
        try:
            try:
                return method(self, *args, **named)
            except OSError as error:
                if error.errno not in _MAYBE_MOVED or not this.has_trusted:
                    raise
            this.trusts = False
            try:
                return method(self, *args, **named)
            finally:
                this.trusts = True
        except OSError as error:
            if error.errno != errno.ESTALE:
                _tell_places(error, args)
                raise
        with self.seeing():
            try:
                return method(self, *args, **named)
            except OSError as error:
                _tell_places(error, args)
                if error.errno != errno.ESTALE or self.is_stale():
                    raise
                raise FileNotFoundError(
                    errno.ENOENT,
                    os.strerror(errno.ENOENT),
                    error.filename,
                    None,
                    error.filename2,
                ) from error

    return call


def until_stale(
    found: Iterator[os.DirEntry[str]], folder: Place
) -> Iterator[os.DirEntry[str]]:
    """Give what is in a folder; nothing more once that was removed."""
    try:
        yield from found
    except OSError as error:
        if error.errno != errno.ESTALE:
            _tell_places(error, (folder,))
            raise


def _tell_places(error: OSError, arguments: Sequence[object]) -> None:
    # Text tells of a place already, or of a root that cannot be reached.
    if not isinstance(error.filename, str):
        tell_places(error, arguments)
