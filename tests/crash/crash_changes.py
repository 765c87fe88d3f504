"""The changes of one share, as they were made, and where among them to die."""

from __future__ import annotations

import enum

import msgspec


class When(enum.StrEnum):
    """When to die, as to a call."""

    BEFORE = "before"
    HALF = "half"
    """In the middle of a write; other calls have no middle."""
    AFTER = "after"


class Who(enum.StrEnum):
    """What dies."""

    PROCESS = "process"
    """The process that makes the call."""
    MACHINE = "machine"
    """Coordinator and workers."""
    POWER = "power"
    """The same, and the file system forgets what was not made durable."""


class Point(msgspec.Struct, frozen=True):
    """Where to die."""

    number: int
    when: When
    who: Who


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A name in a folder, and what it stands for after the change."""

    folder: int
    name: bytes
    inode: int | None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One change, as it was made."""

    number: int
    kind: str
    """create, mkdir, link, rename, unlink, rmdir; write, truncate, dress; sync, sync
    folder and sync all."""
    role: str
    told: str
    """The path below the share, for people."""
    slots: tuple[Slot, ...] = ()
    inode: int = 0
    """Of the file or folder that is concerned; of the removed one for rmdir."""
    offset: int = 0
    data: bytes = b""
    size: int = 0
    mtime_ns: int = 0
