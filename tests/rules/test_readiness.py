"""Whether a producer is done with its file."""

from __future__ import annotations

import math

import pytest
from build import NOW, facts, policy
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.items import Facts
from paxect_batch.rules import readiness


def wait(
    what: Facts,
    *,
    settle: float = 2.0,
    marker: str = "",
    marked: bool = False,
    unchanged_since: float | None = None,
) -> float:
    return readiness.wait_seconds(
        what,
        policy(settle_seconds=settle, ready_marker=marker),
        share_now=NOW,
        marked_ready=marked,
        unchanged_since=unchanged_since,
    )


def test_wait_with_a_marker_is_for_the_marker_alone() -> None:
    assert wait(facts(age=0, writer=True), marker=".ready", marked=True) == 0
    assert wait(facts(age=1e6), marker=".ready") == math.inf


@pytest.mark.parametrize(
    ("age", "seconds"), [(0.0, 2.0), (0.5, 1.5), (2.0, 0.0), (1e6, 0.0)]
)
def test_wait_is_for_the_rest_of_the_settle_time(age: float, seconds: float) -> None:
    assert wait(facts(age=age)) == pytest.approx(seconds, abs=1e-5)


def test_wait_is_by_ctime_because_mtime_can_be_set() -> None:
    assert wait(facts(age=0, mtime_age=1e6)) == pytest.approx(2.0, abs=1e-5)
    assert wait(facts(age=60, mtime_age=-1e6)) == 0


def test_wait_without_ctime_is_by_mtime() -> None:
    assert wait(facts(ctime=False, mtime_age=0.5)) == pytest.approx(1.5, abs=1e-5)
    assert wait(facts(ctime=False, mtime_age=60)) == 0


def test_wait_without_ctime_is_by_what_the_caller_saw() -> None:
    copied = facts(ctime=False, mtime_age=1e6)
    assert wait(copied, unchanged_since=NOW) == 2.0
    assert wait(copied, unchanged_since=NOW - 3) == 0


@pytest.mark.parametrize("writer", [None, False])
def test_wait_while_a_writer_has_it_open_goes_on(writer: bool | None) -> None:
    assert wait(facts(age=1e6, writer=True)) == 2.0
    assert wait(facts(age=1e6, writer=True), settle=0) > 0
    assert wait(facts(age=1e6, writer=writer)) == 0


@pytest.mark.parametrize("ahead", [0.001, 1.9, 3.0, 1e6])
def test_wait_when_the_clock_was_set_back_is_the_settle_time(ahead: float) -> None:
    future = facts(age=-ahead)
    assert wait(future) == 2.0
    assert wait(future, unchanged_since=NOW - 0.5) == pytest.approx(1.5)
    assert wait(future, unchanged_since=NOW - 2) == 0


def test_wait_with_a_ctime_of_the_past_ignores_when_the_caller_saw_it() -> None:
    assert wait(facts(age=60), unchanged_since=NOW) == 0


@given(
    st.floats(-1e6, 1e6), st.floats(0, 100), st.none() | st.floats(NOW - 1e6, NOW + 1e6)
)
def test_wait_is_never_longer_than_the_settle_time(
    age: float, settle: float, since: float | None
) -> None:
    seconds = wait(facts(age=age), settle=settle, unchanged_since=since)
    assert 0 <= seconds <= settle
