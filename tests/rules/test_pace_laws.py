"""Laws of the pace, whatever is observed: it keeps to its limits, settles and comes back."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from pace_samples import (
    WELL,
    asking,
    constant,
    few,
    histories,
    limits,
    run,
    surroundings,
)

from paxect_batch.model.pace import (
    Cause,
    Limits,
    Observation,
    PaceState,
    PaceStep,
    Surroundings,
)
from paxect_batch.rules.pace import decide, replay
from paxect_batch.rules.pace_rooms import guard_rooms

replace = msgspec.structs.replace


@few
@given(limits, histories())
def test_pace_is_never_above_any_limit(
    limit: Limits, history: list[Observation]
) -> None:
    for pace in run(limit, history)[1]:
        assert 0 <= pace.pace <= 1
        assert pace.lots <= limit.lots
        assert pace.files <= limit.files
        assert pace.bytes <= limit.bytes
        assert 1 <= pace.lot_files <= 256
        assert (pace.lots > 0) == (pace.files > 0) == (pace.bytes > 0)
        assert (pace.lots > 0) == (pace.pace > 0)


@few
@given(limits, histories())
def test_below_full_pace_no_lot_waits_for_a_worker(
    limit: Limits, history: list[Observation]
) -> None:
    for pace in run(limit, history)[1]:
        assert pace.pace == 1 or pace.lots <= max(limit.workers * pace.pace, 1)


@few
@given(limits, histories())
def test_pace_is_never_above_the_room_of_a_guard(
    limit: Limits, history: list[Observation]
) -> None:
    limit = asking(limit, guarded=True)
    for seen, pace in zip(history, run(limit, history)[1], strict=True):
        assert all(pace.pace <= room for _, room in guard_rooms(limit, seen.around))


@few
@given(limits, histories())
def test_same_observations_written_down_and_read_again_give_the_same_decisions(
    limit: Limits, history: list[Observation]
) -> None:
    state = PaceState()
    for seen in history:
        after, pace = decide(limit, state, seen)
        step = PaceStep(limits=limit, before=state, seen=seen, pace=pace)
        read = msgspec.json.decode(msgspec.json.encode(step), type=PaceStep)
        assert read == step
        assert replay(read) == (after, pace)
        state = after


@few
@given(limits, surroundings)
def test_constant_surroundings_lead_to_one_fall_and_one_climb_at_most(
    limit: Limits, around: Surroundings
) -> None:
    _, paces = run(asking(limit, quiet=()), constant(around, 30, every=4))
    moves = [
        after.pace - before.pace
        for before, after in itertools.pairwise(paces)
        if after.pace != before.pace
    ]
    turns = sum((one > 0) != (other > 0) for one, other in itertools.pairwise(moves))
    assert turns <= 1


@few
@given(limits, surroundings)
def test_pace_is_full_again_a_while_after_all_is_well(
    limit: Limits, around: Surroundings
) -> None:
    limit = asking(limit, quiet=())
    state, _ = run(limit, constant(around, 5, every=6))
    state, paces = run(limit, constant(WELL, 60, 30, every=5), state)
    reached = guard_rooms(limit, WELL)
    if all(room >= 1.2 for _, room in reached):
        assert paces[-1].pace == 1
        assert paces[-1].cause is Cause.NONE


@few
@given(limits, surroundings, st.floats(0, 1))
def test_less_of_what_is_guarded_never_gives_a_higher_pace(
    limit: Limits, around: Surroundings, part: float
) -> None:
    worse = replace(
        around,
        memory_free_bytes=_less(around.memory_free_bytes, part),
        descriptors_free=_less(around.descriptors_free, part),
        disks=tuple(
            replace(disk, free_bytes=int(disk.free_bytes * part))
            for disk in around.disks
        ),
        busy_elsewhere=None
        if around.busy_elsewhere is None
        else around.busy_elsewhere + (1 - around.busy_elsewhere) * (1 - part),
        battery_percent=None
        if around.battery_percent is None
        else around.battery_percent * part,
    )
    before = decide(limit, PaceState(), Observation(at_seconds=0.0, around=around))
    after = decide(limit, PaceState(), Observation(at_seconds=0.0, around=worse))
    assert after[1].pace <= before[1].pace


def _less(amount: int | None, part: float) -> int | None:
    return None if amount is None else int(amount * part)


@few
@given(limits, histories())
def test_more_is_not_taken_than_a_rate_allows(
    limit: Limits, history: list[Observation]
) -> None:
    limit = asking(limit, rate_bytes=1000, files_per_minute=600, guarded=False)
    state, taken_files, taken_bytes, largest = PaceState(), 0, 0, 500
    begin = history[0].at_seconds
    for one in history:
        seen = replace(one, taken_files=taken_files, taken_bytes=taken_bytes)
        state, pace = decide(limit, state, seen)
        assert pace.files_now is not None
        assert pace.bytes_now is not None
        taken_files += pace.files_now
        if pace.bytes_now:
            taken_bytes += pace.bytes_now - 1 + largest
        lasted = seen.at_seconds - begin
        assert taken_files <= 10 * (lasted + 2) + 1
        assert taken_bytes <= 1000 * (lasted + 2) + largest
