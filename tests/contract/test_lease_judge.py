"""Leases are judged by silence that the judge listened to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.world.lease_judge import BEAT_SECONDS_MAX, Silence, beat_seconds

LOOK = 1.0


def test_silence_is_the_time_since_the_last_change() -> None:
    silence = Silence(look_seconds=LOOK)
    assert silence.look("n", b"1", 0.0) == 0.0
    assert silence.look("n", b"1", 1.0) == 1.0
    assert silence.look("n", b"1", 2.5) == 2.5
    assert silence.look("n", b"2", 3.0) == 0.0
    assert silence.look("n", b"2", 4.0) == 1.0


def test_judge_who_slept_has_heard_no_silence() -> None:
    silence = Silence(look_seconds=LOOK)
    silence.look("n", b"1", 0.0)
    assert silence.look("n", b"1", 3600.0) == 2 * LOOK
    assert silence.look("n", b"2", 3601.0) == 0.0


def test_forgotten_lease_is_new_when_it_is_seen_again() -> None:
    silence = Silence(look_seconds=LOOK)
    silence.look("n", b"1", 0.0)
    silence.look("n", b"1", 1.0)
    silence.forget("n")
    assert silence.look("n", b"1", 2.0) == 0.0


def test_node_is_heard_once_its_lease_changes_before_ones_eyes() -> None:
    silence = Silence(look_seconds=LOOK)
    silence.look("n", b"1", 0.0)
    silence.look("n", b"1", 1.0)
    assert not silence.has_heard("n")
    silence.look("n", b"2", 2.0)
    silence.look("n", b"2", 3.0)
    assert silence.has_heard("n")
    silence.forget("n")
    silence.look("n", b"2", 4.0)
    assert not silence.has_heard("n")


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), min_size=1))
def test_silence_never_exceeds_what_passed_since_a_change(
    looks: list[tuple[bool, float]],
) -> None:
    silence, now, changed_at, count = Silence(look_seconds=LOOK), 0.0, 0.0, 0
    silence.look("n", b"0", now)
    for changes, seconds in looks:
        now += seconds
        if changes:
            count, changed_at = count + 1, now
        heard = silence.look("n", str(count).encode(), now)
        assert heard <= now - changed_at + 1e-9


@pytest.mark.parametrize("seconds", [0.5, 10.0, 3600.0])
def test_several_beats_fit_into_a_lease(seconds: float) -> None:
    assert 0 < beat_seconds(seconds) <= min(seconds / 5, BEAT_SECONDS_MAX)
