"""Lets the tests of this folder import what they share, in an environment of theirs."""

import os
import sys
from pathlib import Path

import pytest

_HERE = os.path.dirname(__file__)
sys.path[:0] = [_HERE, os.path.dirname(_HERE)]

from cli_samples import Command, copy_of, drop, make_share  # noqa: E402

from paxect_batch.cli import console  # noqa: E402
from paxect_batch.cli.main import main  # noqa: E402


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep out the settings of whoever runs the tests, and what earlier tests left."""
    for name in list(os.environ):
        if name.startswith(("PAXECT_", "XDG_CONFIG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setattr(console, "_speaker", console.PROGRAM)


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(capfd)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share with one delivered file and one container on the wire."""
    share = make_share(tmp_path_factory.mktemp("template"))
    drop(share, a_txt=b"one")
    assert main(["drain", str(share), "--node", "n1"]) == 0
    drop(share, b_txt=b"two")
    words = ["drain", str(share), "--node", "n2", "--direction", "encode"]
    assert main(words) == 0
    return share


@pytest.fixture
def share(template: Path, tmp_path: Path) -> Path:
    return copy_of(template, tmp_path)
