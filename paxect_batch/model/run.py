"""One run: what it was asked to do, and how it stands."""

from __future__ import annotations

import enum

import msgspec

from paxect_batch.model.items import Direction, Mode
from paxect_batch.model.pace import Asked, PaceNow
from paxect_batch.model.places import Place


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was asked to do, apart from the policy."""

    node: str
    run: str
    mode: Mode = Mode.RELAY
    watch: bool = False
    poll_seconds: float = 2.0
    workers: int = 2
    deadline_seconds: float | None = None
    """Claim nothing after the run has lasted this long."""
    in_place: bool = False
    """Whether the wire is the inbox itself, as with Link."""
    wait: bool = False
    """Whether a drain lasts until other nodes are done as well."""
    allow_mixed: bool = False
    """Whether nodes with another codec or policy may work on the same batch."""
    files_max: int | None = None
    """Claim no more than this many items."""
    pace: Asked = Asked()


class Verdict(enum.StrEnum):
    """What the policy says of an item at this moment."""

    ADMITTED = "admitted"
    BLOCKED = "blocked"
    """By the policy; it stays where it is until the policy or the file changes."""
    WAITING = "waiting"
    """Not now: still written, backing off, or held by another node."""
    DONE = "done"
    """Delivered before, and kept by policy."""
    SET_ASIDE = "set_aside"
    """Given up before, and left in place by policy."""


class Decision(msgspec.Struct, frozen=True):
    """A verdict with its reason, such as `disallowed_suffix:.exe`."""

    verdict: Verdict
    reason: str = ""
    wait_seconds: float = 0.0
    """For waiting: when to look again at the earliest."""


class Planned(msgspec.Struct, frozen=True):
    """One line of a dry run."""

    direction: Direction
    source: Place
    target: Place
    size: int
    decision: Decision


class Standing(msgspec.Struct):
    """How a run stands: what a progress bar, a summary and the audit are made of.

    Each item counts once, by its name in the inbox, in the state it reached last.
    """

    seen_files: int = 0
    seen_bytes: int = 0
    delivered_files: int = 0
    delivered_bytes: int = 0
    set_aside_files: int = 0
    set_aside_bytes: int = 0
    blocked_files: int = 0
    blocked_bytes: int = 0
    encoded_files: int = 0
    encoded_bytes: int = 0
    decoded_files: int = 0
    decoded_bytes: int = 0
    elsewhere_files: int = 0
    elsewhere_bytes: int = 0
    """Held by other nodes, who account for them."""
    claims_tried: int = 0
    claims_lost: int = 0
    """Tried in vain, since another node had the item."""
    recovered: int = 0
    mixed: bool = False
    """Whether a node with another codec or policy worked on the batch."""
    bias_flags: int = 0
    in_flight_files: int = 0
    in_flight_bytes: int = 0
    exit_codes: set[int] = msgspec.field(default_factory=set)
    """Codes of what went wrong with items; the run's own come on top."""
    problems: list[str] = msgspec.field(default_factory=list)
    """The newest few, for a person to read."""
    stopped: str = ""
    """Why the run ended early, if it did."""
    pace: PaceNow | None = None
    """None while nothing was observed."""
