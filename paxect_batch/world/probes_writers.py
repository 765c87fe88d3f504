"""Of whose files this system tells whether somebody still writes them."""

from __future__ import annotations

import contextlib
import os

from paxect_batch.model.fitness import Writers
from paxect_batch.world.probes_ground import Ground
from paxect_batch.world.writers import has_writer

_CAP_LEASE = 28
"""Its number; whoever has it may ask of any user's files."""
_STATUS = "/proc/self/status"


def try_writers(ground: Ground) -> Writers:
    """Ask of a file while it is being written, and once it is whole."""
    path = os.path.join(ground.path, "written")
    try:
        with open(path, "xb", buffering=0):
            told = _asked(path) is True
        told = told and _asked(path) is False
        os.unlink(path)
    except OSError:
        return Writers.NONE
    if not told:
        return Writers.NONE
    return Writers.ALL if _may_ask_of_all() else Writers.OWN


def _asked(path: str) -> bool | None:
    fd = os.open(path, os.O_RDONLY)
    try:
        return has_writer(fd)
    finally:
        os.close(fd)


def _may_ask_of_all() -> bool:
    """Tell whether that is sure; without `/proc` it is not."""
    with (
        contextlib.suppress(OSError),
        open(_STATUS, encoding="ascii", errors="replace") as lines,
    ):
        for line in lines:
            word, _, value = line.partition(":")
            if word == "CapEff":
                return bool(int(value, 16) >> _CAP_LEASE & 1)
    return False
