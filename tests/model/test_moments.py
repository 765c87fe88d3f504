"""Any number is a moment that can be written, and read again."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from paxect_batch.model.moments import seconds_of, utc


def test_moment_is_told_to_the_millisecond() -> None:
    assert utc(0.9999) == "1970-01-01T00:00:00.999Z"


@given(st.floats(allow_nan=False))
@example(1e308)
@example(float("-inf"))
def test_what_no_clock_shows_is_the_nearest_moment_that_one_does(
    seconds: float,
) -> None:
    shown = min(max(seconds, 0.0), 253_402_300_799.999)
    read = seconds_of(utc(seconds))
    assert read is not None
    assert shown - 0.0011 < read <= shown + 0.0001


@given(st.text() | st.datetimes().map(str))
@example("0001-01-01")
@example("9999-12-31T23:59:59-23:59")
def test_any_text_is_read_as_a_moment_or_is_none(text: str) -> None:
    seconds_of(text)
