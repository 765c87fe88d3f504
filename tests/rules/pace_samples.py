"""Limits and observations for the tests of the pace, and runs of it over many."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from paxect_batch.model.pace import (
    Asked,
    Disk,
    Limits,
    Observation,
    Pace,
    PaceState,
    Quiet,
    Surroundings,
)
from paxect_batch.rules.pace import decide

MIB = 1 << 20
GIB = 1 << 30
FULL = Limits(workers=2, lots=4, files=512, bytes=256 * MIB, lot_memory_bytes=64 * MIB)
WELL = Surroundings(
    memory_free_bytes=8 * GIB,
    memory_total_bytes=16 * GIB,
    disks=(Disk("share", 100 * GIB, 200 * GIB, 10**6, 2 * 10**6),),
    busy_elsewhere=0.0,
    descriptors_free=4000,
    descriptors_total=4096,
)


def run(
    limits: Limits, seen: Iterable[Observation], state: PaceState | None = None
) -> tuple[PaceState, list[Pace]]:
    """Decide on each in turn; return the last state and all decisions."""
    state, paces = state or PaceState(), []
    for one in seen:
        state, pace = decide(limits, state, one)
        paces.append(pace)
    return state, paces


def constant(
    around: Surroundings,
    count: int,
    begin: int = 0,
    *,
    every: int = 1,
    **about: object,
) -> list[Observation]:
    """Return so many observations that are all alike, one every second or few."""
    return [
        Observation(at_seconds=float(begin + number * every), around=around, **about)
        for number in range(count)
    ]


few = settings(max_examples=30)
"""Histories are long; each has many decisions."""

sizes = st.integers(0, 64 * GIB)


@st.composite
def disks(draw: st.DrawFn) -> Disk:
    total = draw(st.integers(0, 64 * GIB))
    inodes = draw(st.none() | st.integers(0, 10**7))
    return Disk(
        name=draw(st.sampled_from(("inbox", "outbox"))),
        free_bytes=draw(st.integers(0, total)),
        total_bytes=total,
        free_inodes=None if inodes is None else draw(st.integers(0, inodes)),
        total_inodes=inodes,
    )


surroundings = st.builds(
    Surroundings,
    minute=st.integers(0, 1439),
    memory_free_bytes=st.none() | sizes,
    memory_total_bytes=sizes,
    disks=st.lists(disks(), max_size=2).map(tuple),
    busy_elsewhere=st.none() | st.floats(0, 1),
    descriptors_free=st.none() | st.integers(0, 4096),
    descriptors_total=st.just(4096),
    battery_percent=st.none() | st.floats(0, 100),
)

quiet = st.builds(
    Quiet, st.integers(0, 1439), st.integers(0, 1439), st.sampled_from((0.0, 0.25))
)

limits = st.builds(
    Limits,
    workers=st.integers(1, 8),
    lots=st.integers(1, 16),
    files=st.integers(1, 512),
    bytes=st.integers(1, GIB),
    lot_memory_bytes=st.integers(0, GIB),
    waits_for_disk=st.booleans(),
    asked=st.builds(
        Asked,
        guarded=st.booleans(),
        rate_bytes=st.none() | st.integers(1, 10**9),
        files_per_minute=st.none() | st.integers(1, 10**5),
        quiet=st.lists(quiet, max_size=2).map(tuple),
    ),
)


def asking(limit: Limits, **asked: object) -> Limits:
    """Return the limits with something else asked of them."""
    return msgspec.structs.replace(
        limit, asked=msgspec.structs.replace(limit.asked, **asked)
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Observation]:
    """Draw what a run may observe: time and sums only grow."""
    at, sums, history = 0.0, [0, 0, 0, 0], []
    for _ in range(draw(st.integers(1, 12))):
        step = draw(st.floats(0, 100))
        at += step
        grown = [draw(st.integers(0, 1000)), draw(st.integers(0, GIB))] * 2
        sums = [one + more for one, more in zip(sums, grown, strict=True)]
        claims = draw(st.integers(0, 100))
        history.append(
            Observation(
                at_seconds=at,
                around=draw(surroundings),
                taken_files=sums[0],
                taken_bytes=sums[1],
                back_files=sums[2],
                back_bytes=sums[3],
                out_files=draw(st.integers(0, 512)),
                claims=claims,
                claim_seconds=draw(st.floats(0, 10)) if claims else 0.0,
                useful_seconds=draw(st.floats(0, 1)) * step,
            )
        )
    return history
