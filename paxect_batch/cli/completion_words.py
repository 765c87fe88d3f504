"""What a shell can complete of a command line: plain values."""

from __future__ import annotations

import enum

from paxect_core.structs import Struct


class Kind(enum.Enum):
    """What a shell offers where a value is wanted."""

    NOTHING = "nothing"
    """No value is taken."""
    OTHER = "other"
    """A value that nobody can guess."""
    CHOICE = "choice"
    FILE = "file"
    FOLDER = "folder"


class Word(Struct):
    """One option, and what it takes."""

    name: str
    text: str
    short: str = ""
    takes: Kind = Kind.NOTHING
    values: tuple[str, ...] = ()


class Line(Struct):
    """One command: its options, the words its first operand may be, other operands."""

    summary: str
    options: tuple[Word, ...]
    first: tuple[str, ...]
    operand: Kind


class Completed(Struct):
    """One program: its commands by name."""

    program: str
    commands: dict[str, Line]
