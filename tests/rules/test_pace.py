"""What the pace does in one case after another: it falls, holds, settles and comes back."""

from __future__ import annotations

import msgspec
import pytest
from pace_samples import FULL, GIB, MIB, WELL, asking, constant, run

from paxect_batch.model.pace import Cause, Disk, Observation, PaceState, Quiet
from paxect_batch.rules.pace import (
    HOLD_SECONDS,
    RELAPSE_SECONDS,
    RUNGS,
    decide,
    is_change,
    shown,
)

replace = msgspec.structs.replace


def test_no_more_is_taken_than_the_fullest_disk_has_left_for_twice_as_much() -> None:
    around = replace(WELL, disks=(Disk("outbox", 300 * MIB, 400 * MIB),))
    spare = 300 * MIB - 16 * MIB
    seen = Observation(at_seconds=0.0, around=around, out_bytes=40 * MIB)
    assert decide(FULL, PaceState(), seen)[1].bytes_now == spare // 2 - 40 * MIB
    seen = replace(seen, out_bytes=400 * MIB)
    assert decide(FULL, PaceState(), seen)[1].bytes_now == 0


SHORT = [
    (Cause.MEMORY, {"memory_free_bytes": 100 * MIB}),
    (Cause.DISK, {"disks": (Disk("outbox", 1 * MIB, 100 * GIB),)}),
    (Cause.INODES, {"disks": (Disk("outbox", 50 * GIB, 100 * GIB, 3, 10**6),)}),
    (Cause.DESCRIPTORS, {"descriptors_free": 100}),
    (Cause.BATTERY, {"battery_percent": 5.0}),
]


@pytest.mark.parametrize(("cause", "short"), SHORT, ids=[str(c) for c, _ in SHORT])
def test_what_runs_out_stops_claiming_until_there_is_enough_again(
    cause: Cause, short: dict[str, object]
) -> None:
    state, paces = run(FULL, constant(WELL, 5))
    assert paces[-1].pace == 1
    state, paces = run(FULL, constant(replace(WELL, **short), 2, 5), state)
    assert paces[0].pace == 0
    assert paces[0].cause is cause
    assert paces[0].files == 0
    state, paces = run(FULL, constant(WELL, 120, 7), state)
    rungs = [pace.pace for pace in paces]
    assert rungs == sorted(rungs)
    assert rungs[-1] == 1
    assert set(rungs) == set(RUNGS), "it climbs one rung at a time"
    assert rungs[int(HOLD_SECONDS) - 3] == 0


def test_memory_for_one_of_two_workers_leaves_one_work() -> None:
    around = replace(WELL, memory_free_bytes=(500 + 70) * MIB)
    _, paces = run(FULL, constant(around, 3))
    assert paces[0].cause is Cause.MEMORY
    assert paces[0].lots == 1


def test_others_who_compute_are_made_room_for_and_never_all_of_it() -> None:
    state, _ = run(FULL, constant(WELL, 30))
    state, paces = run(FULL, constant(replace(WELL, busy_elsewhere=1.0), 60, 30), state)
    assert paces[-1].pace == 0.125
    assert paces[-1].cause is Cause.LOAD
    assert paces[-1].lots == 1
    _, paces = run(FULL, constant(WELL, 120, 90), state)
    assert paces[-1].pace == 1


def test_load_for_a_moment_changes_nothing() -> None:
    state, _ = run(FULL, constant(WELL, 30))
    busy = Observation(at_seconds=30.0, around=replace(WELL, busy_elsewhere=1.0))
    _, paces = run(FULL, [busy, *constant(WELL, 30, 31)], state)
    assert {pace.pace for pace in paces} == {1.0}


def test_coordination_over_three_windows_drops_to_a_quarter_until_it_is_less() -> None:
    back = iter(range(1, 1000))

    def windows(begin: int, count: int, useful: float) -> list[Observation]:
        return [
            replace(one, back_files=next(back))
            for one in constant(WELL, count, begin, claims=5, useful_seconds=useful)
        ]

    state, paces = run(FULL, windows(0, 3, 0.2))
    assert paces[-1].pace == 1, "the first observation ends no window"
    state, paces = run(FULL, windows(3, 1, 0.2), state)
    assert paces[-1].pace == 0.25
    assert paces[-1].cause is Cause.OVERHEAD
    state, paces = run(FULL, windows(4, 30, 0.4), state)
    assert paces[-1].pace == 0.25, "less than the ratio, and not yet little"
    _, paces = run(FULL, windows(34, 30, 0.8), state)
    assert paces[-1].pace == 1


def test_claiming_for_the_first_lot_is_no_overhead_until_it_lasts() -> None:
    state, paces = run(FULL, constant(WELL, 18, every=10, claims=5))
    assert paces[-1].pace == 1
    _, paces = run(FULL, constant(WELL, 2, 180, every=10, claims=5), state)
    assert paces[-1].pace == 0.25


def test_whoever_slows_down_and_does_not_stop_lets_a_pause_end() -> None:
    paused = replace(WELL, memory_free_bytes=0)
    for slower in (
        {"busy_elsewhere": 1.0},
        {"battery_percent": 29.0},
        {"memory_free_bytes": 505 * MIB},
        {"disks": (Disk("outbox", 4 * MIB, 4 * MIB),)},
    ):
        state, _ = run(FULL, constant(paused, 1))
        _, paces = run(FULL, constant(replace(WELL, **slower), 60, 1), state)
        assert 0 < paces[-1].pace < 1


def test_pace_that_falls_soon_after_it_rose_holds_twice_as_long() -> None:
    short = replace(WELL, memory_free_bytes=0)
    state, at, held = PaceState(), 0, []
    for _ in range(4):
        state, _ = run(FULL, constant(short, 1, at), state)
        at, fell = at + 1, at
        while state.pace == 0:
            state, _ = run(FULL, constant(WELL, 1, at), state)
            at += 1
        held.append(at - 1 - fell)
    assert held == sorted(held)
    assert held[-1] >= 8 * HOLD_SECONDS
    state, _ = run(FULL, constant(WELL, int(RELAPSE_SECONDS) * 9, at), state)
    state, _ = run(FULL, constant(short, 1, at + int(RELAPSE_SECONDS) * 9), state)
    assert state.hold_seconds == HOLD_SECONDS


def test_share_that_becomes_ten_times_slower_is_made_room_for_then_got_used_to() -> (
    None
):
    quick = {"claims": 10, "claim_seconds": 0.1, "useful_seconds": 1.0}
    state, _ = run(FULL, constant(WELL, 60, **quick))
    slow = quick | {"claim_seconds": 1.0}
    state, paces = run(FULL, constant(WELL, 60, 60, **slow), state)
    assert paces[-1].pace <= 0.5
    assert paces[-1].cause is Cause.SHARE
    assert paces[-1].files > 0
    used, paces = run(FULL, constant(WELL, 3600, 120, **slow), state)
    assert paces[-1].pace == 1
    assert used.claim_seconds_usual == pytest.approx(0.1, rel=0.1)
    _, paces = run(FULL, constant(WELL, 120, 120, **quick), state)
    assert paces[-1].pace == 1


def test_no_more_is_out_than_the_slowest_stage_takes() -> None:
    history = [
        Observation(
            at_seconds=float(at),
            around=WELL,
            back_files=2 * at,
            back_bytes=2000 * at,
            out_files=100,
        )
        for at in range(60)
    ]
    state, paces = run(FULL, history)
    assert paces[-1].cause is Cause.BACKPRESSURE
    assert paces[-1].pace == 1
    assert paces[-1].files == 16
    assert paces[-1].lot_files == 4
    assert paces[-1].bytes >= 32 * MIB
    quicker = [
        replace(one, at_seconds=60.0 + at, back_files=120 + 1000 * at, back_bytes=9**9)
        for at, one in enumerate(history)
    ]
    _, paces = run(FULL, quicker, state)
    assert paces[-1].files == FULL.files
    assert paces[-1].lot_files == 256


def test_one_long_file_does_not_look_like_a_slow_stage() -> None:
    long = [
        Observation(at_seconds=float(at), around=WELL, out_files=1, taken_files=1)
        for at in range(100)
    ]
    back = replace(long[-1], at_seconds=100.0, back_files=1, back_bytes=10 * GIB)
    _, paces = run(FULL, [*long, back])
    assert paces[-1].bytes == FULL.bytes
    assert {pace.pace for pace in paces} == {1.0}


@pytest.mark.parametrize(
    ("minute", "pace"), [(479, 1.0), (480, 0.25), (1079, 0.25), (1080, 1.0)]
)
def test_quiet_hours_hold_from_begin_to_end(minute: int, pace: float) -> None:
    limit = asking(FULL, quiet=(Quiet(480, 1080, 0.25),))
    _, paces = run(limit, constant(replace(WELL, minute=minute), 1))
    assert paces[0].pace == pace
    assert (paces[0].cause is Cause.QUIET_HOURS) == (pace < 1)


def test_quiet_hours_may_last_past_midnight_and_end_at_once() -> None:
    limit = asking(FULL, quiet=(Quiet(1320, 360),), guarded=False)
    paces = [
        run(limit, constant(replace(WELL, minute=minute), 1))[1][0].pace
        for minute in (1319, 1320, 0, 359, 360)
    ]
    assert paces == [1, 0, 0, 0, 1]


def test_without_guards_only_the_operator_bounds_the_pace() -> None:
    limit = asking(FULL, guarded=False, rate_bytes=1000)
    around = replace(WELL, memory_free_bytes=0, battery_percent=1.0)
    _, paces = run(limit, constant(around, 5))
    assert paces[-1].pace == 1
    assert paces[-1].bytes_now == 2000


def test_only_what_changes_more_than_what_a_rate_leaves_is_a_change() -> None:
    limit = asking(FULL, files_per_minute=60)
    _, paces = run(limit, constant(WELL, 3))
    assert is_change(None, paces[0])
    assert paces[0].files_now != paces[-1].files_now
    assert not is_change(paces[0], paces[-1])
    assert is_change(paces[0], replace(paces[0], held_by=Cause.MAX_FILES))


def test_limit_that_items_wait_for_is_told_and_forgotten_when_they_do_not() -> None:
    limit = asking(FULL, files_per_minute=60)
    taking = [
        Observation(at_seconds=float(at), around=WELL, taken_files=2 * at)
        for at in range(5)
    ]
    state, paces = run(limit, taking)
    assert paces[-1].held_by is Cause.MAX_FILES
    assert paces[-1].files_now == 0
    _, paces = run(limit, constant(WELL, 60, 5, taken_files=8), state)
    assert paces[-1].held_by is Cause.NONE


def test_what_is_shown_tells_since_when_and_how_much_is_coordination() -> None:
    state, paces = run(FULL, constant(WELL, 7, every=10, claims=1, useful_seconds=5.0))
    now = shown(FULL, state, paces[-1])
    assert now.overhead == 0.5
    assert now.since_seconds == 0.0
    assert now.pace is paces[-1]
