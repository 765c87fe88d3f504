"""The demo of three nodes tells a story that is true, and leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from relayed_share import ROOT, SECONDS_MAX, process_environment

pytestmark = pytest.mark.slow

DEMO = ROOT / "demos" / "three_nodes.py"
END = "Three nodes, one of them killed: nothing is lost, nothing came twice.\n"


def demo(ground: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEMO), *words],
        env=process_environment(TMPDIR=str(ground)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="processes"),
        pytest.param(
            ("--tmux",),
            id="tmux",
            marks=pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux here"),
        ),
    ],
)
def test_demo_of_three_nodes_ends_well(ground: Path, words: tuple[str, ...]) -> None:
    ran = demo(ground, *words)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith(END)
    assert ran.stdout.count("[yes]") == 5
    assert list(ground.iterdir()) == []
