"""A shell in which blocks of language `console` are replayed.

What lies below /mnt and /srv is below the replay's folder.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from page_blocks import commands

import paxect_batch
import paxect_core

_ELSEWHERE = ("/mnt/", "/srv/")
_SECONDS_MAX = 120

_TOOLS = (
    "sh",
    "awk",
    "cmp",
    "dd",
    "grep",
    "head",
    "seq",
    "sha256sum",
    "timeout",
)

needs_shell = pytest.mark.skipif(
    not all(map(shutil.which, _TOOLS)), reason="no POSIX shell and its tools here"
)


class Console:
    """A folder in which commands run, with those of this project at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        for path in (self.folder, folder / "home", folder / "mnt", folder / "srv"):
            path.mkdir()
        self._top = folder
        programs = folder / "programs"
        programs.mkdir()
        # The commands of this very Python, whether or not they were installed.
        python = shlex.quote(sys.executable)
        for name, module in (
            ("paxect-core", "paxect_core"),
            ("paxect-batch", "paxect_batch"),
            ("paxect-link", "paxect_batch.cli.link"),
        ):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {python} -m {module} "$@"\n')
            program.chmod(0o755)
        homes = [
            Path(package.__file__).parents[1] for package in (paxect_core, paxect_batch)
        ]
        variables = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("PAXECT_", "XDG_CONFIG"))
        }
        self._variables = variables | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, homes)),
            "HOME": str(folder / "home"),
            "LC_ALL": "C",
        }

    def replay(self, console: str) -> str:
        """Return the block as it reads with what its commands really print."""
        return "".join(
            f"{prompt}{command}\n{self.run(command, prompt.rstrip('$ '))}"
            for prompt, command in commands(console)
        )

    def run(self, command: str, node: str = "") -> str:
        """Return what a command prints, on the node of that name if there is one."""
        command = command.replace("\n> ", "\n")
        for place in _ELSEWHERE:
            command = command.replace(place, f"{self._top}{place}")
        output = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self._variables | ({"PAXECT_BATCH_NODE": node} if node else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS_MAX,
        ).stdout
        for place in _ELSEWHERE:
            output = output.replace(f"{self._top}{place}", place)
        return output
