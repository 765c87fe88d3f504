"""Pace: how much may be in flight at once, from what was observed and remembered.

A pure function: `decide` takes limits, state and one observation, and gives the next
state and the pace that holds until the next observation. It knows no clock and no
chance, and uses no function that differs between machines, so whoever has what was
observed gets the same decisions.

- The pace never exceeds the least room of all guards (`pace_rooms`), nor any limit.
- It falls at once, as far as it must, and rises by one rung at a time, when there is
  room to spare and the last change is `HOLD_SECONDS` ago. If it has to fall soon after
  it rose, it waits twice as long the next time. So it settles for constant input, and
  cannot flap for long where it is itself the cause of what is observed.
- Rooms that come from rates are smoothed; the others are smoothed upwards only.
"""

from __future__ import annotations

import msgspec

from paxect_batch.model.pace import (
    Cause,
    Limits,
    Observation,
    Pace,
    PaceNow,
    PaceState,
    PaceStep,
    Quiet,
)
from paxect_batch.rules.pace_bounds import (
    BYTES_BOUND_LEAST,
    bound,
    files_per_second,
    left,
)
from paxect_batch.rules.pace_rooms import (
    ROOM_MAX,
    guard_rooms,
    load_room,
    share_room,
    spare_bytes,
)
from paxect_batch.rules.plan import LOT_ITEMS_MAX

RUNGS = (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)
RAISE_ROOM = 1.1
"""A rung is climbed when the room is this many times as large."""
HOLD_SECONDS = 5.0
HOLD_SECONDS_MAX = 320.0
RELAPSE_SECONDS = 60.0
"""A fall within this time of a rise shows that the rise was too early."""
SMOOTH_SECONDS = 10.0
"""How far back smoothed observations reach, about."""
USUAL_SECONDS = 600.0
"""How long it takes to be used to a share that has become slower."""

FAILSAFE_RATIO = 0.75
FAILSAFE_OVER_RATIO = 0.5
FAILSAFE_WINDOWS = 3
FAILSAFE_ROOM = 0.3
"""A quarter of the pace is left, and can be reached from below."""
WINDOW_SECONDS_MAX = 60.0
"""How long a window lasts in which nothing comes back."""

DISK_COPIES = 2
"""So many times an item may lie on a disk at once: as a container, and delivered."""
HELD_SECONDS = 30.0
"""For how long a limit of the operator counts as what items wait for."""


def decide(
    limits: Limits, before: PaceState, seen: Observation
) -> tuple[PaceState, Pace]:
    """Return what is remembered, and the pace until the next observation."""
    rested = max(seen.at_seconds - before.at_seconds, 0.0)
    state = msgspec.structs.replace(
        before, number=before.number + 1, at_seconds=seen.at_seconds
    )
    if limits.asked.guarded:
        state = _observed(limits, state, seen, rested)
        state = _climbed(state, seen.at_seconds)
    state = _budgeted(limits, state, seen, rested)
    state = msgspec.structs.replace(
        state,
        taken_files=seen.taken_files,
        taken_bytes=seen.taken_bytes,
        back_files=seen.back_files,
        back_bytes=seen.back_bytes,
    )
    return state, _pace(limits, state, seen)


def replay(step: PaceStep) -> tuple[PaceState, Pace]:
    """Decide anew what was decided; `step.pace` should be the second."""
    return decide(step.limits, step.before, step.seen)


def is_change(before: Pace | None, after: Pace) -> bool:
    """Tell whether a decision changes anything but what is left of a rate's limit."""
    return before is None or _steady(before) != _steady(after)


def shown(limits: Limits, state: PaceState, pace: Pace) -> PaceNow:
    """Return the pace as it is shown to people and to monitoring."""
    overheads = state.overheads
    return PaceNow(
        limits=limits,
        pace=pace,
        since_seconds=max(state.changed_at, state.bound_at),
        claim_seconds=state.claim_seconds,
        files_per_second=state.files_per_second,
        bytes_per_second=state.bytes_per_second,
        overhead=sum(overheads) / len(overheads) if overheads else 0.0,
    )


def _steady(pace: Pace) -> Pace:
    return msgspec.structs.replace(pace, files_now=None, bytes_now=None)


def _observed(
    limits: Limits, state: PaceState, seen: Observation, rested: float
) -> PaceState:
    """Take in what a window showed of the machine, the share, and the run."""
    state = _overhead(state, seen, rested)
    state = _answers(state, seen, rested)
    state = _comes_back(limits, state, seen)
    rooms: dict[Cause, float] = {}
    for cause, room in guard_rooms(limits, seen.around):
        # What is short counts at once; that there is enough again, only by and by.
        rooms[cause] = min(room, _smooth(state.rooms.get(cause), room, rested))
    busy = seen.around.busy_elsewhere
    if busy is not None:
        known = state.rooms.get(Cause.LOAD)
        rooms[Cause.LOAD] = _smooth(known, load_room(busy), rested)
    rooms[Cause.OVERHEAD] = FAILSAFE_ROOM if state.is_failsafe else ROOM_MAX
    if state.claim_seconds is not None:
        usual = state.claim_seconds_usual or state.claim_seconds
        rooms[Cause.SHARE] = share_room(state.claim_seconds, usual)
    return msgspec.structs.replace(state, rooms=rooms)


def _overhead(state: PaceState, seen: Observation, rested: float) -> PaceState:
    """Note which part of each window went into coordination.

    A window lasts until something comes back: claiming for the first lot is no overhead
    yet. Where nothing is claimed, nothing is coordinated.
    """
    seconds = state.window_seconds + rested
    # The first observation ends no window: it begins the first one.
    useful = state.window_useful_seconds + (seen.useful_seconds if rested else 0.0)
    is_claiming = state.is_window_claiming or seen.claims > 0
    is_back = seen.back_files > state.back_files
    if not seconds or (not is_back and seconds < WINDOW_SECONDS_MAX):
        return msgspec.structs.replace(
            state,
            window_seconds=seconds,
            window_useful_seconds=useful,
            is_window_claiming=is_claiming,
        )
    ratio = max(1.0 - useful / seconds, 0.0) if is_claiming else 0.0
    newest = (*state.overheads, ratio)[-FAILSAFE_WINDOWS:]
    is_failsafe = state.is_failsafe
    if len(newest) == FAILSAFE_WINDOWS:
        if min(newest) >= FAILSAFE_RATIO:
            is_failsafe = True
        elif max(newest) < FAILSAFE_OVER_RATIO:
            is_failsafe = False
    return msgspec.structs.replace(
        state,
        window_seconds=0.0,
        window_useful_seconds=0.0,
        is_window_claiming=False,
        overheads=newest,
        is_failsafe=is_failsafe,
    )


def _answers(state: PaceState, seen: Observation, rested: float) -> PaceState:
    """Note how quickly the share answers, and what is usual."""
    if not seen.claims:
        return state
    took = _smooth(state.claim_seconds, seen.claim_seconds / seen.claims, rested)
    usual = state.claim_seconds_usual
    if usual is None or took <= usual:
        usual = took
    else:
        usual += (took - usual) * _weight(rested, USUAL_SECONDS)
    return msgspec.structs.replace(state, claim_seconds=took, claim_seconds_usual=usual)


def _comes_back(limits: Limits, state: PaceState, seen: Observation) -> PaceState:
    """Note what the slowest stage takes, when something came back."""
    files = seen.back_files - state.back_files
    if not files:
        # Until something is out, there is nothing that could come back.
        waits = state.back_at is not None and seen.out_files
        at = state.back_at if waits else seen.at_seconds
        return msgspec.structs.replace(state, back_at=at)
    since = state.back_at if state.back_at is not None else seen.at_seconds
    seconds = seen.at_seconds - since
    if seconds <= 0:
        return msgspec.structs.replace(state, back_at=seen.at_seconds)
    size = seen.back_bytes - state.back_bytes
    files_rate = _smooth(state.files_per_second, files / seconds, seconds)
    bytes_rate = _smooth(state.bytes_per_second, size / seconds, seconds)
    may_raise = seen.at_seconds - state.bound_at >= HOLD_SECONDS
    files_bound = bound(
        state.files_bound,
        per_second=files_rate,
        least=min(limits.workers, limits.files),
        most=limits.files,
        may_raise=may_raise,
    )
    bytes_bound = bound(
        state.bytes_bound,
        per_second=bytes_rate,
        least=min(limits.workers * BYTES_BOUND_LEAST, limits.bytes),
        most=limits.bytes,
        may_raise=may_raise,
    )
    is_moved = (files_bound, bytes_bound) != (
        state.files_bound or limits.files,
        state.bytes_bound or limits.bytes,
    )
    return msgspec.structs.replace(
        state,
        back_at=seen.at_seconds,
        files_per_second=files_rate,
        bytes_per_second=bytes_rate,
        files_bound=files_bound,
        bytes_bound=bytes_bound,
        bound_at=seen.at_seconds if is_moved else state.bound_at,
    )


def _climbed(state: PaceState, now: float) -> PaceState:
    """Fall as far as the rooms demand, or rise by a rung if they allow it for long."""
    # Of equal ones the first counts, in the order of the causes.
    cause = min(Cause, key=lambda each: state.rooms.get(each, ROOM_MAX))
    room = state.rooms.get(cause, ROOM_MAX)
    if room < state.pace:
        soon = state.raised_at is not None and now - state.raised_at < RELAPSE_SECONDS
        hold = min(2 * state.hold_seconds, HOLD_SECONDS_MAX) if soon else HOLD_SECONDS
        return msgspec.structs.replace(
            state,
            pace=max(rung for rung in RUNGS if rung <= room),
            cause=cause,
            changed_at=now,
            hold_seconds=max(hold, HOLD_SECONDS),
        )
    if state.pace == RUNGS[-1]:
        return state
    higher = RUNGS[RUNGS.index(state.pace) + 1]
    if room < RAISE_ROOM * higher or now - state.changed_at < state.hold_seconds:
        return state
    return msgspec.structs.replace(
        state,
        pace=higher,
        cause=state.cause if higher < RUNGS[-1] else Cause.NONE,
        changed_at=now,
        raised_at=now,
    )


def _budgeted(
    limits: Limits, state: PaceState, seen: Observation, rested: float
) -> PaceState:
    """Note what the operator's limits leave, and whether items wait for one."""
    files_rate = files_per_second(limits)
    files_left = bytes_left = None
    held = Cause.NONE
    if limits.asked.rate_bytes is not None:
        bytes_left = left(
            state.bytes_left,
            taken=seen.taken_bytes - state.taken_bytes,
            seconds=rested,
            per_second=limits.asked.rate_bytes,
        )
        held = Cause.MAX_RATE if bytes_left <= 0 else held
    if files_rate is not None:
        files_left = left(
            state.files_left,
            taken=seen.taken_files - state.taken_files,
            seconds=rested,
            per_second=files_rate,
        )
        held = Cause.MAX_FILES if files_left < 1 else held
    held_at = state.held_at
    if held is not Cause.NONE:
        held_at = seen.at_seconds
    elif seen.at_seconds - held_at < HELD_SECONDS:
        held = state.held_by
    return msgspec.structs.replace(
        state,
        files_left=files_left,
        bytes_left=bytes_left,
        held_by=held,
        held_at=held_at,
    )


def _pace(limits: Limits, state: PaceState, seen: Observation) -> Pace:
    """Return the pace that follows from what is remembered by now."""
    pace, cause = state.pace, state.cause
    quiet = min(
        (
            hours.pace
            for hours in limits.asked.quiet
            if _is_within(hours, seen.around.minute)
        ),
        default=1.0,
    )
    if quiet < pace:
        pace, cause = quiet, Cause.QUIET_HOURS
    lots = _lots(limits, pace)
    files, size = _part(limits.files, pace), _part(limits.bytes, pace)
    if pace and limits.asked.guarded:
        files_bound, bytes_bound = state.files_bound, state.bytes_bound
        if (files_bound or files) < files or (bytes_bound or size) < size:
            cause = Cause.BACKPRESSURE if cause is Cause.NONE else cause
            files = min(files, files_bound or files)
            size = min(size, bytes_bound or size)
    return Pace(
        pace=pace,
        cause=cause,
        lots=lots,
        files=files,
        bytes=size,
        lot_files=_lot_files(limits, files, lots),
        held_by=state.held_by,
        files_now=None if state.files_left is None else max(int(state.files_left), 0),
        bytes_now=_bytes_now(limits, state, seen),
    )


def _bytes_now(limits: Limits, state: PaceState, seen: Observation) -> int | None:
    """Return how many bytes may be taken: by the rate, and because they fit."""
    amounts = [] if state.bytes_left is None else [max(int(state.bytes_left), 0)]
    spare = spare_bytes(seen.around)
    if spare is not None and limits.asked.guarded and limits.waits_for_disk:
        amounts.append(max(spare // DISK_COPIES - seen.out_bytes, 0))
    return min(amounts, default=None)


def _lot_files(limits: Limits, files: int, lots: int) -> int:
    """Return how many items share a lot, so that all lots that may be out have some."""
    if files >= limits.files:
        return LOT_ITEMS_MAX
    return min(max(files // max(lots, 1), 1), LOT_ITEMS_MAX)


def _lots(limits: Limits, pace: float) -> int:
    """Return how many lots may be out.

    Below full pace none that waits for a worker: it would keep that one at work.
    """
    if pace >= RUNGS[-1]:
        return limits.lots
    return min(_part(limits.workers, pace), limits.lots)


def _part(most: int, pace: float) -> int:
    return max(int(most * pace), 1) if pace else 0


def _is_within(hours: Quiet, minute: int) -> bool:
    if hours.begin <= hours.end:
        return hours.begin <= minute < hours.end
    return minute >= hours.begin or minute < hours.end


def _smooth(known: float | None, newest: float, seconds: float) -> float:
    """Return the exponentially weighted mean, after so long."""
    if known is None:
        return newest
    return known + (newest - known) * _weight(seconds, SMOOTH_SECONDS)


def _weight(seconds: float, reach_seconds: float) -> float:
    # Not exp(): its last digit differs between machines, and replay would as well.
    return seconds / (seconds + reach_seconds)
