"""The files of `deploy/` taken apart, and a place to run their commands in."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from paxect_batch.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PREFIX = "/opt/paxect-batch"
PROGRAM = f"{PREFIX}/bin/paxect-batch"
SHARE = "/mnt/exchange"
INSTANCE = "mnt-exchange"


def unit(path: Path) -> dict[str, list[str]]:
    """Return what a unit of systemd sets, each key with all its values."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


class Step(NamedTuple):
    """One instruction of a Dockerfile."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words, of the form for `exec` or of that for a shell."""
        if self.text.startswith("["):
            import json

            words: list[str] = json.loads(self.text)
            return words
        return shlex.split(self.text)


def dockerfile(path: Path) -> list[list[Step]]:
    """Return the instructions of each stage."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    stages: list[list[Step]] = []
    for line in text.replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            stages.append([])
        if name:
            stages[-1].append(Step(name, " ".join(rest.split())))
    return stages


class Place:
    """A folder with a share, and the program under the name that files give it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.share = folder / "share"
        self.log = folder / "log"
        self.log.mkdir()
        self.program = folder / "bin" / "paxect-batch"
        self.program.parent.mkdir()
        python = shlex.quote(sys.executable)
        self.program.write_text(f'#!/bin/sh\nexec {python} -m paxect_batch "$@"\n')
        self.program.chmod(0o755)
        self.variables = {
            "PATH": f"{self.program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "PYTHONPATH": f"{ROOT / 'core'}{os.pathsep}{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        assert main(["init", "-q", str(self.share)]) == 0

    def here(self, text: str) -> str:
        """Return text with the paths of this place instead of those of a system."""
        for path, own in (
            (PROGRAM, self.program),
            (SHARE, self.share),
            ("/var/log/paxect-batch", self.log),
        ):
            text = text.replace(path, str(own))
        return text

    def drop(self, name: str, data: bytes) -> None:
        """Drop a file that is long settled."""
        path = self.share / "inbox" / name
        path.write_bytes(data)
        os.utime(path, (1_700_000_000, 1_700_000_000))

    def run(
        self, command: list[str], *, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command as a service is run: no terminal, few variables."""
        return subprocess.run(
            command,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=check,
        )
