"""Back-off and giving up."""

from __future__ import annotations

import math

import msgspec
import pytest
from build import NOW, attempts, failure, item, policy
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.items import Item
from paxect_batch.model.transfer import Attempts
from paxect_batch.rules import retry


def fail(
    of: Item, previous: Attempts | None = None, *, at: float = NOW, **fields: object
) -> Attempts:
    return retry.after_failure(
        previous,
        direction=of.direction,
        source=of.source,
        identity=of.identity,
        failure=failure(at),
        policy=policy(**fields),
    )


def test_after_failure_doubles_the_delay_until_it_is_given_up() -> None:
    one = fail(item(), attempts=4, backoff_seconds=10)
    two = fail(item(), one, at=NOW + 10, attempts=4, backoff_seconds=10)
    three = fail(item(), two, at=NOW + 30, attempts=4, backoff_seconds=10)
    four = fail(item(), three, at=NOW + 70, attempts=4, backoff_seconds=10)
    next_at = [each.next_at for each in (one, two, three, four)]
    assert next_at == [NOW + 10, NOW + 30, NOW + 70, math.inf]
    assert [retry.is_exhausted(each) for each in (one, two, three, four)] == [
        False,
        False,
        False,
        True,
    ]
    assert len(four.failures) == 4


def test_after_failure_waits_an_hour_at_most() -> None:
    known = attempts(item(), failures=(failure(),) * 90, next_at=NOW)
    after = fail(item(), known, attempts=100, backoff_seconds=3600)
    assert after.next_at == NOW + 3600


def test_item_without_room_is_tried_ever_more_seldom_and_never_given_up() -> None:
    waits = []
    for number in range(1, 9):
        full = (failure(NOW + number, retry.NO_ROOM),) * number
        blamed = (failure(NOW),)
        known = attempts(item(), failures=(*blamed, *full), next_at=math.inf)
        waits.append(retry.until_room(known).next_at - NOW - number)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_item_without_room_waits_an_hour_at_most_after_years() -> None:
    full = (failure(NOW, retry.NO_ROOM),) * retry.FAILURES_KEPT_MAX
    known = attempts(item(), failures=full, next_at=math.inf)
    assert retry.until_room(known).next_at == NOW + 3600


def test_after_failure_of_other_content_begins_anew() -> None:
    known = attempts(item(size=1), failures=(failure(),) * 2, next_at=math.inf)
    assert len(fail(item(size=2), known).failures) == 1
    assert len(fail(item("b.txt", size=1), known).failures) == 1
    assert len(fail(item(size=1), known).failures) == 3


def test_after_failure_keeps_a_bounded_history_and_stays_given_up() -> None:
    known = attempts(item(), failures=(failure(),) * 100, next_at=math.inf)
    after = fail(item(), known, attempts=100)
    assert len(after.failures) == retry.FAILURES_KEPT_MAX
    assert retry.is_exhausted(after)


@given(st.integers(1, 100), st.integers(1, 100), st.floats(0, 3600))
def test_after_failure_any_number_of_times_is_due_or_given_up(
    allowed: int, failed: int, backoff: float
) -> None:
    known = attempts(item(), failures=(failure(),) * failed, next_at=NOW)
    after = fail(item(), known, attempts=allowed, backoff_seconds=backoff)
    assert retry.is_exhausted(after) is (failed + 1 >= allowed)
    if not retry.is_exhausted(after):
        assert NOW <= after.next_at <= NOW + 3600


@pytest.mark.parametrize("never", [math.inf, float("inf")])
def test_attempts_given_up_survive_being_written(never: float) -> None:
    given_up = attempts(item(), next_at=never)
    data = msgspec.json.encode(given_up)
    assert b"next_at" not in data
    assert msgspec.json.decode(data, type=Attempts) == given_up


def test_attempts_to_come_survive_being_written() -> None:
    due = attempts(item(), next_at=NOW + 0.25)
    assert msgspec.json.decode(msgspec.json.encode(due), type=Attempts) == due


def test_wait_seconds_until_due() -> None:
    backing_off = attempts(item(), next_at=NOW + 10)
    assert retry.wait_seconds(backing_off, policy(), share_now=NOW + 4) == 6
    assert retry.wait_seconds(backing_off, policy(), share_now=NOW + 10) == 0
    assert retry.wait_seconds(backing_off, policy(), share_now=NOW + 99) == 0


@pytest.mark.parametrize(
    ("later", "quarantine", "wait"),
    [
        (0, True, math.inf),
        (retry.BACKOFF_SECONDS_MAX - 1, True, math.inf),
        (retry.BACKOFF_SECONDS_MAX, True, 0),
        (-retry.BACKOFF_SECONDS_MAX, True, 0),
        (retry.BACKOFF_SECONDS_MAX, False, math.inf),
    ],
)
def test_wait_seconds_of_what_was_given_up_and_not_moved_is_an_hour(
    later: float, quarantine: bool, wait: float
) -> None:
    given_up = attempts(item(), next_at=math.inf)
    failed_at = given_up.failures[-1].at
    kept = policy(quarantine=quarantine)
    assert retry.wait_seconds(given_up, kept, share_now=failed_at + later) == wait


def test_wait_seconds_when_the_clock_was_set_back_is_not_for_ever() -> None:
    backing_off = attempts(item(), next_at=NOW + 10)
    assert retry.wait_seconds(backing_off, policy(), share_now=NOW - 1) == 11
    assert retry.wait_seconds(backing_off, policy(), share_now=NOW - 3600) == 0


def test_wait_seconds_is_kept_though_an_earlier_failure_was_noted_by_a_fast_clock() -> (
    None
):
    first = fail(item(), at=NOW + 86_400, attempts=4, backoff_seconds=10)
    second = fail(item(), first, at=NOW, attempts=4, backoff_seconds=10)
    assert retry.wait_seconds(second, policy(), share_now=NOW + 1) == 19
