"""Pace: what is observed, what bounds it, and what follows from both.

Everything that a decision rests on stands here and in no other place, so that a step
of the pace can be written down, and decided again by whoever reads it.
"""

from __future__ import annotations

import enum

import msgspec


class Cause(enum.StrEnum):
    """What bounds the pace."""

    NONE = "none"
    MEMORY = "memory"
    DISK = "disk"
    INODES = "inodes"
    DESCRIPTORS = "descriptors"
    LOAD = "load"
    """Others on this machine want its cores."""
    BATTERY = "battery"
    OVERHEAD = "overhead"
    """Most of the time goes into coordination: the fail-safe."""
    SHARE = "share"
    """The share answers more slowly than it did."""
    BACKPRESSURE = "backpressure"
    """The slowest stage takes no more than that."""
    QUIET_HOURS = "quiet-hours"
    MAX_RATE = "max-rate"
    MAX_FILES = "max-files-per-minute"


class Quiet(msgspec.Struct, frozen=True):
    """Hours of the local day with a pace of at most so much, from minute to minute.

    If it ends before it begins, it lasts past midnight.
    """

    begin: int
    end: int
    pace: float = 0.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator asked of the pace."""

    guarded: bool = True
    """Whether it follows what is observed, too."""
    rate_bytes: int | None = None
    """Bytes of sources a second."""
    files_per_minute: int | None = None
    quiet: tuple[Quiet, ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds a run at full pace, and what its operator asked for."""

    workers: int
    lots: int
    files: int
    bytes: int
    lot_memory_bytes: int = 0
    """What a lot in work takes of the machine's memory, at most."""
    waits_for_disk: bool = True
    """Whether a full disk is waited for; a drain ends with what the disk says."""
    asked: Asked = Asked()


class Disk(msgspec.Struct, frozen=True):
    """A file system that the relay writes to."""

    name: str
    free_bytes: int
    total_bytes: int
    free_inodes: int | None = None
    total_inodes: int | None = None
    """None where files are not counted."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands with what a run shares with others; None where nobody can tell."""

    minute: int = 0
    """Of the local day."""
    memory_free_bytes: int | None = None
    memory_total_bytes: int | None = None
    disks: tuple[Disk, ...] = ()
    busy_elsewhere: float | None = None
    """The part of all cores that others used since the observation before."""
    descriptors_free: int | None = None
    descriptors_total: int | None = None
    battery_percent: float | None = None
    """None while it is not what the machine lives from."""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings and the run itself, at one moment; sums are since its begin."""

    at_seconds: float
    """On a clock that only grows, since the run began."""
    around: Surroundings = Surroundings()
    taken_files: int = 0
    taken_bytes: int = 0
    back_files: int = 0
    """Items that came back from the workers and were committed."""
    back_bytes: int = 0
    out_files: int = 0
    """Items that are with the workers."""
    out_bytes: int = 0
    """Bytes of all that was claimed and did not come back."""
    out_lots: int = 0
    claims: int = 0
    """Claims that were tried since the observation before."""
    claim_seconds: float = 0.0
    """What they took together."""
    useful_seconds: float = 0.0
    """Time since then that the coordinator spent committing, or waiting for work."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be in flight at once, and why not more."""

    pace: float
    """The part of full pace: one of `rules.pace.RUNGS`, 0 while nothing is taken."""
    cause: Cause
    lots: int
    files: int
    bytes: int
    lot_files: int
    """How many items a lot holds at most."""
    held_by: Cause = Cause.NONE
    """The operator's limit that items wait for, if there is one."""
    files_now: int | None = None
    """So many items may be claimed until the next decision; None: without limit."""
    bytes_now: int | None = None


class PaceState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered from one decision to the next."""

    number: int = 0
    """How many decisions there were."""
    at_seconds: float = 0.0
    pace: float = 1.0
    cause: Cause = Cause.NONE
    changed_at: float = 0.0
    raised_at: float | None = None
    hold_seconds: float = 0.0
    rooms: dict[Cause, float] = {}
    """By guard, how much it allows, smoothed."""
    window_seconds: float = 0.0
    """How long the window lasts by now, and what of that was no coordination."""
    window_useful_seconds: float = 0.0
    is_window_claiming: bool = False
    overheads: tuple[float, ...] = ()
    """Of the newest windows, the part of the time that went into coordination."""
    is_failsafe: bool = False
    claim_seconds: float | None = None
    """What a claim takes, smoothed."""
    claim_seconds_usual: float | None = None
    back_at: float | None = None
    """When something came back last, or was first taken."""
    files_per_second: float | None = None
    bytes_per_second: float | None = None
    files_bound: int | None = None
    """What the slowest stage takes; None until that is known."""
    bytes_bound: int | None = None
    bound_at: float = 0.0
    """When one of the two bounds changed last."""
    files_left: float | None = None
    """What the operator's limits have left to take; below 0: taken in advance."""
    bytes_left: float | None = None
    held_by: Cause = Cause.NONE
    held_at: float = 0.0
    taken_files: int = 0
    taken_bytes: int = 0
    back_files: int = 0
    back_bytes: int = 0


class PaceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One decision with all that it follows from, as it stands in the event log."""

    limits: Limits
    before: PaceState
    seen: Observation
    pace: Pace


class PaceNow(msgspec.Struct, frozen=True, kw_only=True):
    """The pace of a run, to be shown."""

    limits: Limits
    pace: Pace
    since_seconds: float
    """When it became what it is, since the run began."""
    claim_seconds: float | None = None
    files_per_second: float | None = None
    bytes_per_second: float | None = None
    overhead: float = 0.0
    """Mean of the newest windows."""
