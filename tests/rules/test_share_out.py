"""Items are shared out without asking, evenly, and left to whoever they fall to."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.rules.plan import LOT_ITEMS_MAX
from paxect_batch.rules.share_out import HELP_PART, ShareOut, help_items

names = st.text(min_size=1, max_size=8)


def rank(node: str, others: Collection[str], item: str) -> int:
    return ShareOut(node, others).rank(item)


def is_own(node: str, others: Collection[str], item: str) -> bool:
    return ShareOut(node, others).is_own(item)


@given(st.sets(names, min_size=1, max_size=8), names)
def test_each_item_has_each_of_the_living_at_one_rank(
    nodes: set[str], item: str
) -> None:
    ranks = sorted(rank(node, nodes - {node}, item) for node in nodes)
    assert ranks == list(range(len(nodes)))
    for node in nodes:
        others = nodes - {node}
        assert is_own(node, others, item) == (rank(node, others, item) == 0)


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


@pytest.mark.parametrize("count", [2, 3, 16])
def test_items_are_shared_out_evenly_and_so_is_what_is_left_of_a_node(
    count: int,
) -> None:
    nodes = {f"node{number}" for number in range(count)}
    items = [f"file-{number}" for number in range(1000 * count)]
    falls = {
        node: [item for item in items if is_own(node, nodes - {node}, item)]
        for node in nodes
    }
    assert all(800 <= len(own) <= 1200 for own in falls.values())
    for node in nodes - {"node0"}:
        left = nodes - {"node0", node}
        heirs = sum(is_own(node, left, item) for item in falls["node0"])
        assert 0.3 / (count - 1) <= heirs / 1000 <= 2.0 / (count - 1)


def test_helper_claims_the_less_the_less_is_left() -> None:
    assert help_items(0, 8) == help_items(7, 8) == 1
    assert help_items(8 * HELP_PART * 5, 8) == 5
    assert help_items(10**9, 2) == LOT_ITEMS_MAX
