"""Shares to work on, and commands run in this process or in one of their own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from paxect_batch.cli.main import main

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def audit(self) -> dict[str, Any]:
        """The audit in the last line."""
        last = self.out.splitlines()[-1]
        assert last.startswith("AUDIT_SUMMARY_JSON=")
        audit: dict[str, Any] = json.loads(last.partition("=")[2])
        return audit


class Command:
    """Runs `paxect-batch` in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *words: object) -> Said:
        self._capfd.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *self._capfd.readouterr())


def make_share(folder: Path, policy: str = "") -> Path:
    """Lay out a share whose files need not settle; return its folder."""
    share = folder / "share"
    assert main(["init", "-q", str(share)]) == 0
    path = share / ".paxect" / "policy.toml"
    text = path.read_text().replace("#settle_seconds = 2.0", "settle_seconds = 0.0")
    path.write_text(text + policy)
    return share


def copy_of(template: Path, folder: Path) -> Path:
    """Copy a share that was made once for many tests."""
    return Path(shutil.copytree(template, folder / "share"))


def drop(share: Path, **files: bytes) -> None:
    """Drop files into the inbox, `a_txt` as `a.txt`."""
    for name, data in files.items():
        (share / "inbox" / name.replace("_", ".")).write_bytes(data)


def names(folder: Path) -> list[str]:
    """Return the names of all files below a folder, in order."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )


def start(*words: object, **changes: str) -> "subprocess.Popen[bytes]":
    """Start `paxect-batch` as a process of its own."""
    search = os.pathsep.join((str(ROOT / "core"), str(ROOT)))
    return subprocess.Popen(
        [sys.executable, "-m", "paxect_batch", *map(str, words)],
        env=os.environ | {"PYTHONPATH": search} | changes,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
