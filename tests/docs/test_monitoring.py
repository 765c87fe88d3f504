"""The page on monitoring has every path and every metric, and no other."""

import re
from pathlib import Path

from serve_samples import a_full_board

from paxect_batch.report.metrics import view_families
from paxect_batch.serve.answers import Answers

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "monitoring.md").read_text(
    encoding="utf-8"
)


def first_cells(head: str) -> set[str]:
    table = PAGE.split(f"| {head} |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_page_has_every_path() -> None:
    assert first_cells("path") == set(Answers(a_full_board())._routes)


def test_page_has_every_metric() -> None:
    families = view_families(a_full_board().view())
    names = {family.name.removeprefix("paxect_batch_") for family in families}
    assert first_cells("metric") == names | {"http_requests_total"}
