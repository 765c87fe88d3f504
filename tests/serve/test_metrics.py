"""Metrics: everything that is known, by the conventions, in a bounded number."""

import re

import msgspec
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_families,
)
from prometheus_client.parser import text_string_to_metric_families as families_in
from serve_samples import NASTY, a_board, a_full_board, a_node, a_status

from paxect_batch.model.events import Event
from paxect_batch.report.families import MetricKind
from paxect_batch.report.metrics import NODES_MAX, view_families
from paxect_batch.serve.board import Board
from paxect_batch.serve.exposition import exposition

UNITS = ("_seconds", "_bytes", "_total", "_files", "_info", "_per_second", "_ratio")


def values(board: Board) -> dict[tuple[str, str], float]:
    """Return samples by name and by their labels' values."""
    return {
        (family.name.removeprefix("paxect_batch_"), ",".join(sample.labels.values())): (
            sample.value
        )
        for family in view_families(board.view())
        for sample in family.samples
    }


def test_metrics_say_what_the_board_knows() -> None:
    found = values(a_full_board())
    assert found["files_total", "encode,delivered"] == 6
    assert found["bytes_total", "encode,delivered"] == 600
    assert found["files_total", "encode,failed"] == 1
    assert found["bytes_total", "encode,failed"] == 100
    assert found["run_files", "delivered"] == 5
    assert found["run_files", "waiting"] == 4
    assert found["claims_total", "won"] == 9
    assert found["claims_total", "lost"] == 1
    assert found["waiting_files", "inbox"] == 3
    assert found["waiting_oldest_seconds", "inbox"] == 12
    assert found["nodes", "alive"] == 2
    assert found["node_delivered_files", "south"] == 5
    assert found["clock_skew_seconds", ""] == 0.25
    assert found["share_free_bytes", "inbox"] == 1 << 40
    assert found["ready", ""] == 1
    assert found["joined", ""] == 1
    assert (found["pace_ratio", ""], found["pace_cause", "memory"]) == (0.5, 1)
    assert found["pace_cause", "none"] == 0
    assert found["last_run_files", "n1,delivered"] == 7
    assert found["last_run_completion_timestamp_seconds", "n1"] == 1767323046.5
    assert found["last_success_timestamp_seconds", ""] == 1767323046.5
    assert found["events_total", Event.ENCODE] == 1


def test_metrics_of_a_sad_share_show_it() -> None:
    found = values(a_full_board(sad=True))
    assert found["health", "care"] == 1
    assert found["nodes", "silent"] == 1
    assert found["runs_over", ""] == found["backing_off_files", ""] == 1
    assert found["quarantine_files", ""] == 3
    assert found["mixed", ""] == 1
    assert found["held_oldest_seconds", ""] == 7.5
    assert found["last_run_exit_code", "south"] == 3


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text;version=1.0.0"])
def test_metrics_can_be_read_by_the_parsers_of_their_formats(accept: str) -> None:
    view = a_full_board(sad=True).view()
    data, kind = exposition(view_families(view), accept)
    assert kind.startswith("application/openmetrics" if accept else "text/plain")
    parser = open_families if accept else families_in
    parsed = {family.name: family for family in parser(data.decode())}
    assert {
        each.name.removesuffix("_total") if each.kind == "counter" else each.name
        for each in view_families(view)
    } == set(parsed)
    durations = parsed["paxect_batch_item_duration_seconds"]
    buckets = {
        sample.labels["le"]: sample.value
        for sample in durations.samples
        if sample.labels.get("direction") == "encode" and "le" in sample.labels
    }
    assert (buckets["0.1"], buckets["0.3"], buckets["+Inf"]) == (1, 2, 2)


def test_names_keep_to_the_conventions() -> None:
    for family in view_families(a_full_board(sad=True).view()):
        name = family.name.removeprefix("paxect_batch_")
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert (family.kind is MetricKind.COUNTER) is name.endswith("_total")
        assert family.text.endswith(".")
        if not name.endswith(UNITS):
            assert not re.search(r"(time|size|duration|age)$", name), name


def test_no_label_holds_the_name_of_a_file() -> None:
    for family in view_families(a_full_board(sad=True).view()):
        for sample in family.samples:
            assert not any("/" in value for value in sample.labels.values())
            assert NASTY not in sample.labels.values()


def test_samples_do_not_grow_without_bound() -> None:
    board = a_board()
    nodes = tuple(a_node(f"n{number}") for number in range(10 * NODES_MAX))
    board.note_status(a_status(nodes=nodes), took_seconds=0.1)
    families = view_families(board.view())
    assert max(len(each.samples) for each in families) == NODES_MAX


def test_view_before_anything_is_known_has_metrics_too() -> None:
    found = values(a_board())
    assert found["ready", ""] == 0
    assert found["health", "unknown"] == 1
    assert not msgspec.structs.asdict(a_board().view())["newest"]
