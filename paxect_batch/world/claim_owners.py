"""Say in a claim's marker whose it is, and read it there."""

from __future__ import annotations

import errno
import time

from paxect_batch.world.plain_files import NotPlain, open_plain
from paxect_batch.world.wholes import read_part

Owner = tuple[str, str] | None
"""Node and run."""

_OWNER_BYTES_MAX = 1024
_READ_TRIES_MAX = 8
_READ_PAUSE_SECONDS = 0.25
"""In between; all in all longer than a client keeps a file open that was closed."""


def owner_line(node: str, run: str) -> bytes:
    """Return what a marker says."""
    return f"{run} {node}\n".encode("utf-8", "surrogateescape")


def owner_in(data: bytes) -> Owner:
    """Return node and run of a marker's content; None if it is not whole."""
    if not data.endswith(b"\n"):
        return None
    run, space, node = data.decode("utf-8", "surrogateescape").strip().partition(" ")
    return (node, run) if space else None


def read_owner(path: str) -> Owner:
    """Return node and run of a marker; None if it has no owner or is gone."""
    try:
        return read_owner_there(path)
    except FileNotFoundError:
        return None


def read_owner_there(path: str) -> Owner:
    """Return them; `FileNotFoundError` if the marker is gone."""
    tries = 0
    while True:
        try:
            with open_plain(path) as stream:
                return owner_in(read_part(stream, _OWNER_BYTES_MAX))
        except NotPlain:
            return None
        except OSError as error:
            # An SMB client that has it open by another name, of somebody who links.
            tries += 1
            if error.errno != errno.EINVAL or tries >= _READ_TRIES_MAX:
                raise
        time.sleep(_READ_PAUSE_SECONDS)
