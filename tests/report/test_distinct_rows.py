"""Rows that are kept once and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.report.distinct_rows import DistinctRows

ROWS = st.lists(st.binary(min_size=3, max_size=3))


def rows_of(rows: list[bytes]) -> DistinctRows:
    found = DistinctRows(3)
    for row in rows:
        found.add(row)
    return found


@given(ROWS, ROWS)
def test_rows_of_several_are_given_once_each_and_in_order(
    some: list[bytes], others: list[bytes]
) -> None:
    rows = rows_of(some)
    rows.merge(rows_of(others))
    given_back = [row for group in rows.groups() for row in group]
    assert given_back == sorted({*some, *others})
    assert bool(rows) == bool(given_back)


@given(ROWS, ROWS)
def test_rows_that_were_merged_stay_as_they_are(
    some: list[bytes], others: list[bytes]
) -> None:
    rows = rows_of(others)
    rows_of(some).merge(rows)
    rows_of(some).add(b"xyz")
    assert [row for group in rows.groups() for row in group] == sorted(set(others))
