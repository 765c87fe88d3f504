"""What the lab's command says where it cannot run, or is asked for what it has not."""

import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).with_name("run.py")


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RUN), *words], capture_output=True, text=True, check=False
    )


def test_run_when_nothing_was_installed_says_what_is_missing_and_ends_with_2(
    tmp_path: Path,
) -> None:
    done = lab("nfs", "--folder", str(tmp_path / "empty"))
    assert done.returncode == 2
    assert "the lab cannot run here" in done.stderr
    assert "guest kernel" in done.stderr
    assert done.stdout == ""


def test_help_names_every_scenario() -> None:
    done = lab("--help")
    assert done.returncode == 0
    for name in ("two", "three", "power", "cut", "freeze", "locks", "names"):
        assert name in done.stdout
