"""What pages say of speed is what was measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
MEASURED = sorted((ROOT / "scripts" / "benchmarks" / "measured").glob("*.json"))

sys.path.insert(0, str(ROOT / "scripts"))

from benchmarks import plot, report  # noqa: E402


def cases(path: Path) -> list[report.Case]:
    return report.cases_of(json.loads(path.read_text(encoding="utf-8")))


def test_the_plot_shows_what_was_measured() -> None:
    image = plot.svg([case for path in MEASURED for case in cases(path)])
    assert (ROOT / "docs/images/speed.svg").read_text(encoding="utf-8") == image
    assert "<script" not in image


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.stem)
def test_the_tables_show_what_was_measured(path: Path) -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for case in cases(path):
        ratios = case.ratios
        cells = f"| {median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"
        assert cells in page, (case.name, case.input, cells)


def test_a_rival_that_is_faster_is_drawn_so() -> None:
    slower = report.Case(
        name="encode",
        input="one <file>",
        raw_bytes=1,
        ours="ours",
        rival="theirs",
        ours_seconds=[2.0, 2.2],
        rival_seconds=[1.0, 1.0],
        target=1.0,
        against="theirs & others",
    )
    image = plot.svg([slower])
    assert 'class="slower"' in image
    assert 'class="faster"' not in image
    assert "one &lt;file&gt;" in image
    assert "theirs &amp; others" in image
    assert ">0.48<" in image
