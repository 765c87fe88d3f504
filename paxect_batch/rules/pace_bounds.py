"""Bounds: what the slowest stage takes, and what the operator's limits leave.

Backpressure. What comes back from the workers, committed, shows what the slowest stage
takes. No more is in flight than that does in `HORIZON_SECONDS`, in powers of two, so
that the bounds move seldom. One lot for each worker may always be out; so the bounds
find back up by themselves, as long as a lot takes less than the horizon.

Rates. A limit in bytes or files fills up with time, to what it allows in a burst, and
items are taken as long as something is left. The last one may overdraw it; nothing is
taken then until time has made up for it.
"""

from __future__ import annotations

from paxect_batch.model.pace import Limits

HORIZON_SECONDS = 10.0
BYTES_BOUND_LEAST = 16 << 20
"""What the bound in bytes leaves to each worker at least: a lot."""
RAISE_FACTOR = 2.5
"""A bound is doubled once this many times as much would fit."""
BURST_SECONDS = 2.0


def bound(
    known: int | None, *, per_second: float, least: int, most: int, may_raise: bool
) -> int:
    """Return how much may be in flight, given what the slowest stage takes.

    Falls at once to the power of two below, and is doubled when it may be.
    """
    fits = min(max(per_second * HORIZON_SECONDS, least, 1), most)
    current = most if known is None else min(max(known, least), most)
    if fits < current:
        return max(1 << (int(fits).bit_length() - 1), least)
    # Where it can grow no further, nothing has to be to spare.
    if may_raise and fits >= min(RAISE_FACTOR * current, most):
        return min(2 * current, most)
    return current


def left(
    before: float | None, *, taken: int, seconds: float, per_second: float
) -> float:
    """Return what a rate allows to take, after so much was taken in that time."""
    burst = max(per_second * BURST_SECONDS, 1.0)
    if before is None:
        return min(per_second, burst) if per_second >= 1 else 1.0
    return min(before - taken + per_second * seconds, burst)


def files_per_second(limits: Limits) -> float | None:
    """Return the limit in files by the second, if there is one."""
    return (
        None
        if limits.asked.files_per_minute is None
        else limits.asked.files_per_minute / 60
    )
