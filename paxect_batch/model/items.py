"""Items: files that were seen, what identifies them, and which way they go."""

from __future__ import annotations

import enum

import msgspec

from paxect_batch.model.numbers import Count
from paxect_batch.model.places import Place


class Direction(enum.StrEnum):
    """What is done to an item: make a container of it, or take it out of one."""

    ENCODE = "encode"
    DECODE = "decode"


class Mode(enum.StrEnum):
    """Which directions a run serves."""

    ENCODE = "encode"
    DECODE = "decode"
    RELAY = "relay"

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions in the order in which a pass serves them."""
        return {
            Mode.ENCODE: (Direction.ENCODE,),
            Mode.DECODE: (Direction.DECODE,),
            Mode.RELAY: (Direction.ENCODE, Direction.DECODE),
        }[self]


class Kind(enum.StrEnum):
    """What a folder entry is, links not followed."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class Removal(enum.StrEnum):
    """Which files of a folder this node's user may take away."""

    ANY = "any"
    OWN = "own"
    """Those that are its own: it is a folder for everybody, with the sticky bit."""
    NONE = "none"


class Identity(msgspec.Struct, frozen=True):
    """What tells one content of a file from another without reading it."""

    size: Count
    mtime_ns: int
    inode: int


class Facts(msgspec.Struct, frozen=True):
    """What is known of a file without reading it.

    `ctime_ns` is when content or attributes last changed, by the share's clock: None
    where the platform cannot tell, and, looked at closely, where it stands still while
    somebody writes. `writer` is whether some process has the file open for writing:
    None where the platform cannot tell, and unless the file was looked at closely.
    `own` tells whether it is this user's file.
    """

    kind: Kind
    identity: Identity
    mode: int
    ctime_ns: int | None = None
    writer: bool | None = None
    own: bool = True


class Entry(msgspec.Struct, frozen=True):
    """One entry of a folder listing, which may be out of date on a network share."""

    place: Place
    kind: Kind


class Item(msgspec.Struct, frozen=True):
    """A file that was seen, to go one way."""

    direction: Direction
    source: Place
    facts: Facts

    @property
    def identity(self) -> Identity:
        """What its content was when it was seen."""
        return self.facts.identity

    @property
    def size(self) -> int:
        """How many bytes it had when it was seen."""
        return self.facts.identity.size
