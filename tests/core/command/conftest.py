"""Runs each test of the command in a folder of its own, with its files."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = os.path.dirname(__file__)
sys.path[:0] = [_HERE, os.path.dirname(_HERE)]

from command_ground import CONTAINER, DAMAGED, RAW  # noqa: E402

from paxect_core import process  # noqa: E402


@pytest.fixture(autouse=True)
def keep_signals() -> Iterator[None]:
    """`main` takes signals over, and at its end leaves them to the system."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    process._caught.clear()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").write_bytes(RAW)
    (tmp_path / "good").write_bytes(CONTAINER)
    (tmp_path / "damaged").write_bytes(DAMAGED)
    (tmp_path / "broken").write_bytes(CONTAINER[:-1])
    return tmp_path
