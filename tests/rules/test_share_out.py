"""Items are shared out without asking, evenly, and left to whoever they fall to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.rules.plan import LOT_ITEMS_MAX
from paxect_batch.rules.share_out import HELP_PART, help_items, is_own, rank

names = st.text(min_size=1, max_size=8)


@given(st.sets(names, min_size=1, max_size=8), names)
def test_each_item_has_each_of_the_living_at_one_rank(
    nodes: set[str], item: str
) -> None:
    ranks = sorted(rank(node, nodes - {node}, item) for node in nodes)
    assert ranks == list(range(len(nodes)))
    assert sum(is_own(node, nodes - {node}, item) for node in nodes) == 1


@given(st.sets(names, min_size=2, max_size=8), names)
def test_items_of_others_stay_theirs_when_a_node_goes(
    nodes: set[str], item: str
) -> None:
    gone = min(nodes)
    left = nodes - {gone}
    for node in left:
        if is_own(node, nodes - {node}, item):
            assert is_own(node, left - {node}, item)


@given(st.sets(names, min_size=2, max_size=8), names)
def test_item_of_a_node_that_goes_falls_to_who_helps_first(
    nodes: set[str], item: str
) -> None:
    by_rank = {rank(node, nodes - {node}, item): node for node in nodes}
    left = nodes - {by_rank[0]}
    assert is_own(by_rank[1], left - {by_rank[1]}, item)


def test_items_are_shared_out_evenly() -> None:
    nodes = {f"node{number}" for number in range(8)}
    items = [f"file-{number}" for number in range(8000)]
    for node in nodes:
        share = sum(is_own(node, nodes - {node}, item) for item in items)
        assert 800 <= share <= 1200


def test_helper_claims_the_less_the_less_is_left() -> None:
    assert help_items(0, 8) == help_items(7, 8) == 1
    assert help_items(8 * HELP_PART * 5, 8) == 5
    assert help_items(10**9, 2) == LOT_ITEMS_MAX
