"""Retries: how long an item that failed backs off, and when it is given up.

Every failure counts alike, a container's bad structure or checksum too: its bytes may
still be on their way, copied in by a tool that neither renames nor marks. So each item
has the policy's attempts, with a doubled delay after each, before it is set aside; what
arrives in between has another identity, and begins anew. What is given up and could not
be moved out of the way has one more attempt each hour: it may work by now, or it may be
moved then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Attempts, Failure

NO_ROOM = "no-room"
"""The code of a failure for which the item is not to blame: a disk was too small."""

BACKOFF_SECONDS_MAX = 3600.0
"""The longest delay between two attempts."""

ROOM_SECONDS = 60.0
"""The first delay of what a disk has no room for."""

FAILURES_KEPT_MAX = 100
"""How many failures are written down, the newest; no policy allows more attempts."""


def after_failure(
    previous: Attempts | None,
    *,
    direction: Direction,
    source: Place,
    identity: Identity,
    failure: Failure,
    policy: Policy,
) -> Attempts:
    """Return what was tried with an item after one more failure.

    What was tried with other content under that name is forgotten.
    """
    failures: tuple[Failure, ...] = (failure,)
    if previous is not None and concerns(previous, direction, source, identity):
        failures = (*previous.failures, failure)[-FAILURES_KEPT_MAX:]
    return Attempts(
        direction=direction,
        source=source,
        identity=identity,
        failures=failures,
        next_at=failure.at + _delay_seconds(_blamed(failures), policy),
    )


def _blamed(failures: Sequence[Failure]) -> int:
    """Count those that say something of the item."""
    return sum(failure.code != NO_ROOM for failure in failures)


def until_room(attempts: Attempts) -> Attempts:
    """Return the attempts of an item that the disk has no room for: it is never given
    up, since nothing is wrong with it.
    """
    waits = len(attempts.failures) - _blamed(attempts.failures)
    doubled = ROOM_SECONDS * 2.0 ** min(waits - 1, 10)
    wait = min(doubled, BACKOFF_SECONDS_MAX)
    return msgspec.structs.replace(attempts, next_at=attempts.failures[-1].at + wait)


def _delay_seconds(failures: int, policy: Policy) -> float:
    if failures >= policy.attempts:
        return math.inf
    doubled = policy.backoff_seconds * 2.0 ** (failures - 1)
    return min(doubled, BACKOFF_SECONDS_MAX)


def concerns(
    attempts: Attempts, direction: Direction, source: Place, identity: Identity
) -> bool:
    """Tell whether attempts were made with this very item."""
    return (attempts.direction, attempts.source, attempts.identity) == (
        direction,
        source,
        identity,
    )


def is_exhausted(attempts: Attempts) -> bool:
    """Tell whether an item is given up."""
    return attempts.next_at == math.inf


def wait_seconds(attempts: Attempts, policy: Policy, *, share_now: float) -> float:
    """Return how long an item still backs off: 0 for due, infinite for given up.

    If the share's clock was set back so far that the wait would be more than twice the
    delay that was meant, the item is due.
    """
    # Not the latest: it may have been noted before the clock was set back.
    last_at = attempts.failures[-1].at
    if is_exhausted(attempts):
        rests = abs(share_now - last_at) < BACKOFF_SECONDS_MAX
        return math.inf if rests or not policy.quarantine else 0.0
    wait = max(attempts.next_at - share_now, 0.0)
    meant = attempts.next_at - last_at
    return 0.0 if wait > 2 * meant else wait
