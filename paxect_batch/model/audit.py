"""The audit line: what a run did, so that anyone can check the sum."""

from __future__ import annotations

import msgspec


class Tally(msgspec.Struct, frozen=True):
    """How many items, and how many bytes they hold."""

    files: int = 0
    bytes: int = 0


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
