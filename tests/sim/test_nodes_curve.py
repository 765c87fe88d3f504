"""The curve of nodes in its short form: sharing loses little, and more do it sooner."""

from __future__ import annotations

import pytest
from nodes_curve import Model, Point

MODEL = Model(files=960, call_seconds=0.001, server_seconds=0.000_002)
"""With a server that is never short of time."""


@pytest.fixture(scope="module")
def points() -> dict[int, Point]:
    return {nodes: MODEL.point(nodes) for nodes in (1, 4, 8)}


def test_each_node_takes_its_part_and_hardly_a_claim_is_lost(
    points: dict[int, Point],
) -> None:
    for nodes, point in points.items():
        part = MODEL.files / nodes
        assert point.claims >= MODEL.files
        assert point.lost_part <= 0.02
        assert 0.5 * part <= point.least_files <= point.most_files <= 2 * part


def test_several_nodes_are_sooner_done_by_the_clock_of_the_model(
    points: dict[int, Point],
) -> None:
    # What it takes to begin is the same for all, and much for so few files.
    assert points[4].seconds < 0.6 * points[1].seconds
    assert points[8].seconds < points[4].seconds


def test_sharing_costs_few_calls_for_each_file(points: dict[int, Point]) -> None:
    assert points[8].calls_a_file < 1.5 * points[1].calls_a_file


def test_all_nodes_that_start_at_once_begin_within_two_seconds(
    points: dict[int, Point],
) -> None:
    # One after the other they would take half a second each.
    alone = points[1].seconds
    assert points[8].seconds < alone / 8 + 2.0


def test_curve_played_twice_is_the_same(points: dict[int, Point]) -> None:
    assert MODEL.point(4) == points[4]
