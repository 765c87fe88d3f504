"""How a share stands, and what was delivered on it: what looking commands print."""

from __future__ import annotations

import enum

import msgspec

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.leases import Lease
from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Attempts, Reason


class Life(enum.StrEnum):
    """Whether a run lives, as far as its lease tells."""

    ALIVE = "alive"
    """It beat while it was watched, or its process runs on this machine."""
    SILENT = "silent"
    """It did not beat while it was watched; after its lease's time it is over."""
    NOT_RUNNING = "not_running"
    """Its process was on this machine, and is not any more."""
    UNREADABLE = "unreadable"
    """Its lease has no content; it dies while it makes it, or makes it right now."""
    OVER = "over"
    """Others took it for dead; what it began is not yet finished."""
    GONE = "gone"
    """It has no lease that is seen; its node's next run finishes what it left."""


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One node that has a lease."""

    node: str
    life: Life
    silent_seconds: float
    """How long no beat was seen; counted while it was watched, so it may be longer."""
    last_beat_at: str
    """When the lease changed last, by the share's clock."""
    claims: int
    """Claims that its run holds."""
    lease: Lease | None


class Rescue(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is over and not recovered yet."""

    node: str
    run: str
    rescuer_run: str
    rescuer_node: str
    """The node that recovers it; empty if that is gone too, until another one comes."""


class Hold(enum.StrEnum):
    """By what a file is in flight."""

    CLAIM = "claim"
    INTENT = "intent"


class InFlight(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a run is at, or left behind."""

    what: Hold
    since: str
    """When it was written, by the share's clock."""
    age_seconds: float
    """The same, by the clock of whoever looked."""
    files: int
    bytes: int
    node: str
    """Empty for a claim whose owner is not written yet."""
    run: str
    life: Life
    """Whether the run lives."""
    source: Place | None
    """The file, or the first of them, if that can be told."""


class ShareStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a share stands."""

    share: str
    waiting: Tally
    """Files in the inbox."""
    wire: Tally
    """Containers that lie between encode and decode."""
    waiting_seconds: float = 0.0
    """For how long the oldest file has been in the inbox, by its last change."""
    wire_seconds: float = 0.0
    """The same, of the wire."""
    nodes: tuple[NodeStatus, ...]
    over: tuple[Rescue, ...]
    mixed: tuple[str, ...]
    """Each codec and policy by which the batch is worked on, if there are several."""
    in_flight: tuple[InFlight, ...]
    """Oldest first."""
    backing_off: tuple[Attempts, ...]
    set_aside: tuple[Reason, ...]
    given_up: tuple[Attempts, ...] = ()
    """Set aside where they are: there is no quarantine, or no way into it."""
    last_run: Audit | None
    policy_problem: str
    """Why no run would begin with the policy as it is; empty if one would."""


class NodePart(msgspec.Struct, frozen=True):
    """What one node delivered, in all of its runs that count."""

    node: str
    runs: int
    delivered: Tally
    digest: str


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """What all nodes delivered together."""

    batch_digest: str
    raw_digest: str
    """The same without containers, which another codec may make otherwise."""
    root: str
    """Where the files lie that are counted: the outbox, or else the wire."""
    files: int
    bytes: int
    fresh: bool
    """Whether ledgers were listed afresh; else the newest of others may be missing."""
    nodes: tuple[NodePart, ...]
    """A delivery that two of them recorded counts in both parts, and once in all."""
    torn: int = 0
    """Lines of ledgers that cannot be read: what they told of is missing."""
