"""Readiness: whether a file's producer is done with it, judged by the share's clock.

A producer says so with a marker file if the policy names one; otherwise a file is ready
when nobody is known to write it and it did not change for the settle time. What
changed last is told by ctime, which no producer can set, and where the platform keeps
none, by mtime. Neither can be trusted at times: ctime lies ahead of the clock after the
clock was set back, and mtime may have been copied from elsewhere. Then the time since
the caller has seen the very same facts counts, if the caller knows it.
"""

from __future__ import annotations

import math

from paxect_batch.model.items import Facts
from paxect_batch.model.policy import Policy

WRITER_WAIT_SECONDS = 1.0
"""When to look again, at the earliest, at a file that is open for writing."""

_NANO = 1e-9


def wait_seconds(
    facts: Facts,
    policy: Policy,
    *,
    share_now: float,
    marked_ready: bool,
    unchanged_since: float | None = None,
) -> float:
    """Return how long to wait before looking again; 0 means ready.

    Infinite means: not before a marker lies beside the file. `unchanged_since` is when,
    by the share's clock, the caller saw these same facts first.
    """
    if policy.ready_marker:
        return 0.0 if marked_ready else math.inf
    return settle_wait_seconds(
        facts,
        policy.settle_seconds,
        share_now=share_now,
        unchanged_since=unchanged_since,
    )


def settle_wait_seconds(
    facts: Facts,
    settle_seconds: float,
    *,
    share_now: float,
    unchanged_since: float | None = None,
) -> float:
    """Return how long until a file has settled, never more than the settle time.

    A file that is known to be open for writing has not, however old it is.
    """
    if facts.writer:
        return max(settle_seconds, WRITER_WAIT_SECONDS)
    changed_at = _changed_at(
        facts, share_now=share_now, unchanged_since=unchanged_since
    )
    return min(max(changed_at + settle_seconds - share_now, 0.0), settle_seconds)


def _changed_at(
    facts: Facts, *, share_now: float, unchanged_since: float | None
) -> float:
    kept = facts.ctime_ns
    told_at = (facts.identity.mtime_ns if kept is None else kept) * _NANO
    trusted = kept is not None and told_at <= share_now
    if trusted or unchanged_since is None:
        return told_at
    return unchanged_since
