"""kill -9 at any moment: the destination is absent or whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from samples import lines, noise, reference_container

from paxect_core.wire import Settings

RAW = (lines(1 << 16) + noise(1 << 16)) * 24
CONTAINER = reference_container(RAW, Settings(frame_bytes=1 << 16))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
]


def kill(folder: Path, word: str, *how: str) -> dict[str, int]:
    (folder / "raw").write_bytes(RAW)
    (folder / "freq").write_bytes(CONTAINER)
    source, whole = ("raw", "freq") if word == "encode" else ("freq", "raw")
    script = os.path.join(os.path.dirname(__file__), "kill_rounds.py")
    # A measured process that is killed leaves its measurements in ruins.
    environ = {k: v for k, v in os.environ.items() if "COVERAGE" not in k}
    done = subprocess.run(
        [sys.executable, script, word, str(folder / source), str(folder / whole), *how],
        capture_output=True,
        env=environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


@pytest.mark.parametrize("word", ["encode", "decode"])
def test_kill_at_110_random_moments_leaves_whole_or_absent(
    tmp_path: Path, word: str
) -> None:
    counts = kill(tmp_path, word, "110", "20251121")
    assert sum(counts.values()) == 110
    assert counts.get("started", 0) > 0
    assert counts.get("absent", 0) + counts.get("whole", 0) > 0


@pytest.mark.parametrize("word", ["encode", "decode"])
def test_kill_at_each_step_leaves_whole_or_absent(tmp_path: Path, word: str) -> None:
    counts = kill(tmp_path, word, "steps")
    # Before, during, between the two names of the file, and after.
    assert set(counts) == {"absent", "started", "whole, linked", "whole"}
