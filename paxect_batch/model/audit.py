"""The audit line: what a run did, so that anyone can check the sum."""

from __future__ import annotations

import msgspec


class Tally(msgspec.Struct, frozen=True):
    """How many items, and how many bytes they hold."""

    files: int = 0
    bytes: int = 0


class Claims(msgspec.Struct, frozen=True):
    """How often a run tried to claim an item, and found that another node had it."""

    tried: int = 0
    lost: int = 0


class Part(msgspec.Struct, frozen=True):
    """What one run delivered of a batch."""

    node: str
    run: str
    delivered: Tally
    digest: str


class Batch(msgspec.Struct, frozen=True):
    """All that runs on one share delivered from when the first began."""

    id: str
    digest: str
    """The same as one node alone would have given."""
    raw_digest: str
    """The same without containers, which another codec may make otherwise."""
    delivered: Tally
    mixed: bool
    parts: tuple[Part, ...]


class Audit(msgspec.Struct, frozen=True):
    """One run. `seen = delivered + set_aside + blocked + waiting`, files and bytes."""

    bias_flags: int
    deterministic: bool
    seen: Tally
    delivered: Tally
    set_aside: Tally
    blocked: Tally
    waiting: Tally
    encoded: Tally
    decoded: Tally
    recovered: int
    batch_digest: str
    policy_sha256: str
    codec: str
    node: str
    run: str
    mode: str
    started: str
    duration_seconds: float
    exit_code: int
    version: str
    elsewhere: Tally = Tally()
    """Held by other nodes when this run saw them last; no part of what it saw."""
    claims: Claims = Claims()
    mixed: bool = False
    """Whether another codec or policy worked on the batch, on purpose."""
    earlier_runs: tuple[str, ...] = ()
    """Ids under which it recorded before it was taken for dead and went on."""
    batch: Batch | None = None
    """The batch of all nodes, in the audit of the last one to finish."""
