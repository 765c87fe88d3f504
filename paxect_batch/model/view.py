"""What is shown of a share and of the run beside it: plain data, made once, read often.

A `View` is all that the dashboard, `top` and the metrics are made of. It is bounded:
lists hold the newest or the first few, and counts say how many there are.
"""

from __future__ import annotations

import enum

import msgspec

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.events import EventLine
from paxect_batch.model.pace import PaceNow
from paxect_batch.model.status import InFlight, NodeStatus, Rescue
from paxect_batch.model.transfer import Attempts, Reason

LISTED_MAX = 50
"""How many entries a list of a view has at most."""
MINUTES_KEPT = 60
"""How far back throughput is shown."""


class Wellness(enum.StrEnum):
    """How a share does, at a glance."""

    WELL = "well"
    CARE = "care"
    """Something asks for a look, and nothing is in danger."""
    TROUBLE = "trouble"
    """Files do not travel, or not as they should."""
    UNKNOWN = "unknown"
    """The share was not seen yet."""


class Health(msgspec.Struct, frozen=True):
    """How a share does, and why."""

    wellness: Wellness
    reasons: tuple[str, ...] = ()


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who shows the view."""

    version: str
    codec: str
    python: str
    share: str
    """How the share is named on a command line."""
    node: str = ""
    """Empty if there is no run in this process."""
    run: str = ""
    mode: str = ""
    watch: bool = False


class Minute(msgspec.Struct, frozen=True, array_like=True):
    """What was delivered in one minute."""

    at: int
    """When it began, in seconds since 1970."""
    files: int
    bytes: int


class Rate(msgspec.Struct, frozen=True):
    """Throughput of the last few seconds."""

    files_per_second: float = 0.0
    bytes_per_second: float = 0.0


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the share can be worked on, as it was tried last."""

    at: float
    problems: tuple[str, ...] = ()
    """Why it cannot; empty if it can."""
    free_bytes: dict[str, int] = {}
    """By root."""
    clock_skew_seconds: float | None = None
    """How far the share's clock is ahead of this machine's."""


class Steps(msgspec.Struct, frozen=True):
    """What the run beside the view did in one direction since its process began."""

    files: dict[str, int] = {}
    """By outcome: `delivered`, or what a worker said that kept it from that."""
    bytes: dict[str, int] = {}
    seconds_count: int = 0
    seconds_sum: float = 0.0
    seconds_up_to: tuple[int, ...] = ()
    """How many items took no longer than each bound of `DURATION_BOUNDS`."""


DURATION_BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Upper bounds, in seconds, of the counts in `Steps.seconds_up_to`."""


class Doings(msgspec.Struct, frozen=True, kw_only=True):
    """What the run beside the view did and does."""

    joined: bool = False
    """Whether it is a node of the share at this moment."""
    trouble: str = ""
    """Why it waits for the share, if it does."""
    steps: dict[str, Steps] = {}
    """By direction."""
    outcomes: dict[str, Tally] = {}
    """By outcome: what became of the items that it sees."""
    in_flight: Tally = Tally()
    claims_tried: int = 0
    claims_lost: int = 0
    recovered: int = 0
    bias_flags: int = 0
    last_delivery_at: float | None = None
    pace: PaceNow | None = None
    """None where nothing bounds it but the machine's cores."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """How the share stood when it was looked at last."""

    at: float
    took_seconds: float
    waiting: Tally
    waiting_seconds: float
    """Age of the oldest file in the inbox."""
    wire: Tally
    wire_seconds: float
    nodes: tuple[NodeStatus, ...]
    over: tuple[Rescue, ...]
    in_flight: tuple[InFlight, ...]
    in_flight_count: int
    backing_off: tuple[Attempts, ...]
    backing_off_count: int
    set_aside: tuple[Reason, ...]
    """The newest first."""
    set_aside_count: int
    given_up: tuple[Attempts, ...] = ()
    given_up_count: int = 0
    mixed: tuple[str, ...]
    policy_problem: str
    last_run: Audit | None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, at one moment."""

    at: float
    uptime_seconds: float
    identity: Viewer
    health: Health
    not_ready: tuple[str, ...]
    """Why `/ready` says 503; empty for 200."""
    rate: Rate
    minutes: tuple[Minute, ...]
    """Oldest first; minutes in which nothing was delivered are left out."""
    ground: Ground | None
    seen: Seen | None
    doings: Doings | None
    """None if there is no run in this process."""
    events: dict[str, int]
    """How many there were of each kind since the process began."""
    newest: tuple[EventLine, ...]
    """The newest events first."""
    last_success_at: float | None = None
    """When a run that delivered everything ended last, as far as this process knows."""
