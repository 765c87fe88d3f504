"""Colour for a person at a terminal, and for nobody else.

None goes into a pipe or a file, to a terminal that is dumb, or where `NO_COLOR` is set
to anything. It adds nothing that the words do not say.
"""

from __future__ import annotations

import enum
import os
import sys

_OFF = "\x1b[0m"


class Tone(enum.Enum):
    """What a colour means; its value is what a terminal is told."""

    WELL = "\x1b[32m"
    CARE = "\x1b[33m"
    BAD = "\x1b[31m"


def painted(text: str, tone: Tone | None, fd: int) -> str:
    """Return text in the colour of a tone, if the descriptor is for that."""
    if tone is None or not text or not _is_for_colour(fd):
        return text
    return f"{tone.value}{text}{_OFF}"


def tone_of(exit_code: int) -> Tone:
    """Return the tone of an exit code: well, finished with something left, or bad."""
    return {0: Tone.WELL, 1: Tone.CARE}.get(exit_code, Tone.BAD)


def is_drawable(fd: int) -> bool:
    """Tell whether lines can be drawn anew for a person who may be reading."""
    try:
        return os.isatty(fd) and os.environ.get("TERM") != "dumb"
    except OSError:
        return False


def _is_for_colour(fd: int) -> bool:
    if os.environ.get("NO_COLOR") or not os.isatty(fd):
        return False
    if sys.platform == "win32":
        # Of the terminals there, the one that names itself understands colours.
        return "WT_SESSION" in os.environ
    return os.environ.get("TERM", "dumb") != "dumb"
