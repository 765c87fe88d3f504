"""Figures come from programs that run: long benchmarks, with a few small files here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "scripts" / "bench"
FEW = {
    "network": ("--files", "40", "--late", "0.1"),
    "relay": ("--files", "40"),
    "large": ("--size", "1"),
}
RIVALS = {"network": (), "relay": ("zstd", "rsync"), "large": ("zstd", "openssl")}


def found_by(name: str, folder: Path) -> dict[str, Any]:
    """Run a benchmark once; return what it found."""
    path = folder / "found.json"
    words = (name, "--rounds", "1", "--dir", str(folder), "--json", str(path))
    ran = subprocess.run(
        (sys.executable, str(BENCH), *words, *FEW[name]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", FEW)
def test_benchmark_measures_drains_that_succeed(name: str, tmp_path: Path) -> None:
    missing = [rival for rival in RIVALS[name] if shutil.which(rival) is None]
    if missing:
        pytest.skip(f"not here: {', '.join(missing)}")
    cases = found_by(name, tmp_path)["cases"]
    assert cases
    assert all(len(case["ours_seconds"]) == 1 for case in cases)


def test_operations_on_a_far_share_are_counted_in_all_processes(tmp_path: Path) -> None:
    (told,) = [
        note
        for note in found_by("network", tmp_path)["notes"]
        if "operations" in note and "for each file" in note
    ]
    counts = {name: float(count) for name, count in re.findall(r"(\w+) ([\d.]+)", told)}
    # A claim is the coordinator's, opening a source the worker's.
    assert round(counts["take"]) == round(counts["give_back"]) == 1
    assert round(counts["open_source"]) == 2
