"""Lots, threads, and what may be in flight."""

from __future__ import annotations

import pytest
from build import DECODE, ENCODE, task
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.transfer import Lot, Task
from paxect_batch.rules import plan
from paxect_core.window import window_frames

MIB = 1 << 20


def lots_of(tasks: list[Task], **fields: int) -> list[Lot]:
    builder = plan.LotBuilder(**fields)
    made = [builder.add(each) for each in tasks]
    return [lot for lot in [*made, builder.flush()] if lot is not None]


def shape(lots: list[Lot]) -> list[int]:
    return [len(lot.tasks) for lot in lots]


@pytest.mark.parametrize(
    ("size", "cores", "workers", "threads"),
    [
        (64 * MIB, 8, 1, 8),
        (64 * MIB, 8, 3, 4),
        (64 * MIB, 2, 4, 2),
        (64 * MIB, 8, 0, 8),
        (64 * MIB, 1, 4, 1),
        (64 * MIB, 64, 2, 32),
        (64 * MIB, 1000, 1, 64),
        (64 * MIB - 1, 8, 1, 1),
        (0, 8, 1, 1),
    ],
)
def test_threads_for(size: int, cores: int, workers: int, threads: int) -> None:
    assert plan.threads_for(size, cores, workers) == threads


def test_lots_of_small_items_are_bounded_in_number() -> None:
    assert shape(lots_of([task(1)] * 600)) == [256, 256, 88]


def test_lot_that_is_full_comes_with_the_item_that_fills_it() -> None:
    builder = plan.LotBuilder(items_max=3)
    assert [builder.add(task(1)) for _ in range(2)] == [None, None]
    full = builder.add(task(1))
    assert full is not None
    assert (len(full.tasks), len(builder)) == (3, 0)


def test_lot_takes_the_memory_of_both_sides_of_each_frame_in_its_window() -> None:
    frames = window_frames(2, MIB) + 1
    taken = plan.lot_memory_bytes(MIB, 2) - plan.WORKER_BYTES
    assert taken == 2 * frames * MIB


def test_lots_of_small_items_are_bounded_in_bytes() -> None:
    assert shape(lots_of([task(MIB)] * 40)) == [16, 16, 8]


def test_lots_of_long_paths_are_bounded_in_what_an_intent_says_of_them() -> None:
    long = task(1, name="/".join(["x" * 250] * 400))
    most = plan.LOT_LETTERS_MAX // len(long.source.path)
    assert shape(lots_of([long] * (2 * most + 1))) == [most, most, 1]


def test_lots_with_items_that_are_not_small_hold_few() -> None:
    assert shape(lots_of([task(MIB + 1)] * 20)) == [8, 8, 4]
    assert shape(lots_of([task(9 * MIB)] * 3)) == [1, 1, 1]
    assert shape(lots_of([task(1)] * 20 + [task(2 * MIB)] + [task(1)] * 20)) == [
        20,
        8,
        13,
    ]


def test_lots_of_a_large_item_come_alone_and_at_once() -> None:
    builder = plan.LotBuilder()
    assert builder.add(task(1)) is None
    alone = builder.add(task(16 * MIB))
    assert alone is not None
    assert shape([alone]) == [1]
    assert len(builder) == 1
    rest = builder.flush()
    assert rest is not None
    assert (alone.number, rest.number) == (1, 2)
    assert builder.flush() is None


def test_lots_have_one_direction() -> None:
    tasks = [task(1, ENCODE), task(1, ENCODE), task(1, DECODE), task(1, ENCODE)]
    assert shape(lots_of(tasks)) == [2, 1, 1]


def test_lots_with_a_bound_of_the_caller() -> None:
    assert shape(lots_of([task(1)] * 5, items_max=2, number=7)) == [2, 2, 1]
    assert lots_of([task(1)], number=7)[0].number == 7
    assert shape(lots_of([task(2 * MIB)] * 2, items_max=1)) == [1, 1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, MIB, MIB + 1, 5 * MIB, 16 * MIB, 100 * MIB]),
            st.sampled_from([ENCODE, DECODE]),
        ),
        max_size=60,
    ),
    st.integers(1, 20),
)
def test_lots_hold_each_task_once_within_bounds(
    wanted: list[tuple[int, object]], items_max: int
) -> None:
    tasks = [
        task(size, direction, name=str(number))
        for number, (size, direction) in enumerate(wanted)
    ]
    lots = lots_of(tasks, items_max=items_max)
    names = [each.source.name for lot in lots for each in lot.tasks]
    assert sorted(names, key=int) == [each.source.name for each in tasks]
    assert [lot.number for lot in lots] == list(range(1, len(lots) + 1))
    for lot in lots:
        assert len({each.direction for each in lot.tasks}) == 1
        assert len(lot.tasks) <= items_max
        assert len(lot.tasks) == 1 or lot.size <= plan.LOT_BYTES_MAX


def test_lot_counts_for_no_more_than_a_workers_part() -> None:
    part = plan.in_flight_bytes_max(1)
    assert [plan.counted_bytes(size) for size in (1, part, 9 * part)] == [1, part, part]


def may_begin(size: int, giants: list[int], *, workers: int, free_bytes: int) -> bool:
    return plan.may_begin_beside(
        size, giants, workers=workers, free_bytes=lambda: free_bytes
    )


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_smaller_items_wait_for_no_giant(workers: int) -> None:
    whole = plan.in_flight_bytes_max(workers)
    assert may_begin(whole, [9 * whole] * 9, workers=workers, free_bytes=0)


@pytest.mark.parametrize(
    ("giants", "workers", "free", "may"),
    [
        (0, 1, 0, True),
        (1, 1, 99, False),
        (1, 2, 99, False),
        (1, 3, 99, True),
        (2, 3, 99, False),
        (1, 8, 18, False),
        (1, 8, 19, True),
        (1, 8, 0, False),
    ],
)
def test_giants_leave_a_worker_to_others_and_are_out_together_where_all_fit(
    giants: int, workers: int, free: int, may: bool
) -> None:
    giant = 9 * plan.in_flight_bytes_max(workers)
    free_bytes = giant // 9 * free
    out = [giant] * giants
    assert may_begin(giant, out, workers=workers, free_bytes=free_bytes) is may
