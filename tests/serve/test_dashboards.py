"""Dashboards and alert rules ask for what there is, and say what the tools take."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Command
from serve_samples import a_full_board

from paxect_batch.cli.dashboard import FILES
from paxect_batch.report.families import MetricKind
from paxect_batch.report.metrics import view_families

FOLDER = Path(__file__).parents[2] / "paxect_batch" / "serve"
GRAFANA: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text("utf-8"))
ALERTS = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
TESTS = (Path(__file__).parent / "alerts_test.yml").read_text(encoding="utf-8")
FAMILIES = {family.name: family for family in view_families(a_full_board().view())}
FAMILIES_AND_REQUESTS = {*FAMILIES, "paxect_batch_http_requests_total"}

QUERIES = [
    *(each["expr"] for panel in GRAFANA["panels"] for each in panel["targets"]),
    *(each["query"]["query"] for each in GRAFANA["templating"]["list"][1:]),
    *re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE),
]


@pytest.mark.parametrize("query", QUERIES)
def test_query_asks_for_metrics_and_labels_that_exist(query: str) -> None:
    names = re.findall(r"paxect_batch_[a-z_]+", query)
    assert names
    for name in names:
        plain = re.sub(r"_(bucket|sum|count)$", "", name)
        if plain != name:
            assert FAMILIES[plain].kind is MetricKind.HISTOGRAM
        assert plain in FAMILIES_AND_REQUESTS, name
    for name, inner in re.findall(r"(paxect_batch_[a-z_]+)\{([^}]*)\}", query):
        labels = set(re.findall(r"(\w+)\s*[=!]", inner)) - {"instance"}
        if labels:
            family = FAMILIES[name]
            assert labels <= {key for each in family.samples for key in each.labels}


@pytest.mark.parametrize("query", QUERIES)
def test_query_takes_rates_of_counters_and_of_no_other(query: str) -> None:
    for name in re.findall(r"(?:rate|increase)\((paxect_batch_[a-z_]+)", query):
        assert name.endswith(("_total", "_bucket")), name
    for name in re.findall(r"delta\((paxect_batch_[a-z_]+)", query):
        assert not name.endswith("_total"), name


def test_dashboard_has_panels_that_say_what_they_show_and_do_not_overlap() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in GRAFANA["panels"]:
        assert panel["title"]
        assert panel["description"]
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in mine) < 24
        assert not mine & cells
        cells |= mine
    numbers = [panel["id"] for panel in GRAFANA["panels"]]
    assert len(numbers) == len(set(numbers))


def test_every_alert_says_what_to_do_and_how_grave_it_is() -> None:
    rules = ALERTS.split("- alert: ")[1:]
    assert len(rules) > 10
    for rule in rules:
        assert re.search(r"severity: (info|warning|critical)\n", rule), rule
        assert "summary: " in rule
        assert "description: " in rule
    names = {rule.partition("\n")[0] for rule in rules}
    assert set(re.findall(r"alertname: (\w+)", TESTS)) <= names


@pytest.mark.parametrize("name", FILES)
def test_dashboard_command_prints_the_file(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    said = Command(capfd)("dashboard", name)
    assert (said.code, said.err) == (0, "")
    assert said.out == (FOLDER / FILES[name]).read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
def test_alert_rules_hold_before_promtool(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    (tmp_path / "alerts_test.yml").write_text(TESTS)
    for words in (
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ):
        done = subprocess.run(
            ["promtool", *words],
            cwd=tmp_path,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
def test_metrics_hold_before_promtool() -> None:
    from paxect_batch.serve.exposition import exposition

    data, _ = exposition(FAMILIES.values(), "")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=data, check=False, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
