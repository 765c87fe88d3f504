"""Lets the tests of this folder import what they share, in an environment of theirs."""

import os
import sys

import pytest

_HERE = os.path.dirname(__file__)
sys.path[:0] = [_HERE, os.path.dirname(_HERE)]


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(("PAXECT_", "XDG_CONFIG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
