"""The policy: which files travel, how they are named, and what becomes of them."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec

from paxect_batch.model.numbers import Count
from paxect_core import limits

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Naming(enum.StrEnum):
    """How a container is named after its file."""

    FULL = "full"
    """`a.txt` -> `a.txt.freq` -> `a.txt`."""
    STEM = "stem"
    """`a.txt` -> `a.freq` -> `a`, as Link 1.2.0 does."""


class Verify(enum.StrEnum):
    """Whether what was staged is read back before its source may go."""

    READBACK = "readback"
    OFF = "off"


class OnDone(enum.StrEnum):
    """What becomes of a source that arrived."""

    DELETE = "delete"
    ARCHIVE = "archive"
    KEEP = "keep"


class OnCollision(enum.StrEnum):
    """What becomes of an item whose name is taken by other bytes."""

    QUARANTINE = "quarantine"
    WAIT = "wait"


class LogLevel(enum.StrEnum):
    """The least event that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class LinkPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A policy file of Link 1.2.0, as it stands."""

    version: Literal["1.2.0"] = "1.2.0"
    trusted_nodes: tuple[str, ...] = ()
    allowed_suffixes: tuple[str, ...] = (
        ".bin",
        ".txt",
        ".json",
        ".csv",
        ".aead",
        ".freq",
    )
    max_file_mb: Count = 256
    require_sig: bool = False
    auto_delete: bool = True
    log_level: LogLevel = LogLevel.INFO


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A policy of version 2, which a Link policy is translated to as well."""

    version: Literal["2"]
    trusted_nodes: tuple[str, ...] = ()
    """Nodes that may run here, and whose containers are decoded; empty: any."""
    allowed_suffixes: tuple[str, ...] = ()
    """Suffixes, with their dot, of the files that travel; empty: any."""
    include: tuple[str, ...] = ()
    """Patterns of which a path below the inbox must match one; empty: any."""
    exclude: tuple[str, ...] = ()
    """Patterns of which a path below the inbox may match none."""
    max_file_mb: Count = 0
    """The largest file that travels, in MiB; 0: any size."""
    require_sig: bool = False
    """Whether peers must sign their manifests."""
    log_level: LogLevel = LogLevel.INFO
    naming: Naming = Naming.FULL
    level: Annotated[int, msgspec.Meta(ge=limits.LEVEL_MIN, le=limits.LEVEL_MAX)] = 3
    channels: Annotated[int, msgspec.Meta(ge=1, le=limits.CHANNELS_MAX)] = 1
    frame_bytes: Annotated[int, msgspec.Meta(ge=1, le=limits.FRAME_BYTES_MAX)] = (
        limits.FRAME_BYTES_DEFAULT
    )
    settle_seconds: Seconds = 2.0
    """How long a file must not have changed before it is taken."""
    ready_marker: str = ""
    """A suffix such as `.ready`: a file is taken when a file of its name and this
    suffix lies beside it; empty: by settling."""
    verify: Verify = Verify.READBACK
    on_done: OnDone = OnDone.DELETE
    on_collision: OnCollision = OnCollision.QUARANTINE
    attempts: Annotated[int, msgspec.Meta(ge=1)] = 3
    """How often an item is tried before it is set aside."""
    backoff_seconds: Seconds = 30.0
    """How long to wait after a first failure; doubled after each further one."""
    carry_times: bool = False
    """Whether the modification time travels."""
    carry_mode: bool = False
    """Whether permission bits travel."""
    quarantine: bool = True
    """Whether items that are set aside are moved; otherwise they stay in place."""
