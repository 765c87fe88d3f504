"""Leases are judged by silence that the judge listened to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.rules.share_out import is_own, order
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


names = st.text(min_size=1, max_size=8)


@given(st.sets(names, min_size=1, max_size=8), names)
def test_each_item_falls_to_exactly_one_of_the_living(
    nodes: set[str], item: str
) -> None:
    owners = [node for node in nodes if is_own(node, nodes - {node}, item)]
    assert len(owners) == 1


@given(st.sets(names, min_size=2, max_size=8), names)
def test_items_of_others_stay_theirs_when_a_node_goes(
    nodes: set[str], item: str
) -> None:
    gone = min(nodes)
    left = nodes - {gone}
    for node in left:
        if is_own(node, nodes - {node}, item):
            assert is_own(node, left - {node}, item)


def test_items_are_shared_out_evenly() -> None:
    nodes = {f"node{number}" for number in range(8)}
    items = [f"inbox/file-{number}" for number in range(8000)]
    for node in nodes:
        share = sum(is_own(node, nodes - {node}, item) for item in items)
        assert 800 <= share <= 1200


def test_nodes_help_in_different_orders() -> None:
    items = [f"inbox/file-{number}" for number in range(100)]
    orders = {
        tuple(sorted(items, key=lambda item: order(node, item)))
        for node in ("a", "b", "c")
    }
    assert len(orders) == 3
