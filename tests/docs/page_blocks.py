"""Blocks of pages, and a shell in which those of language `console` are replayed.

A prompt is `$ `, or `NAME$ ` for a command on the node of that name; `> ` continues it.
What is shown after it is its output, in which `…` stands for anything within a line, and
a line of `…` for any lines. What lies below /mnt and /srv is below the replay's folder.
A block that no test can run has `<!-- not run: WHY -->` above it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import paxect_batch
import paxect_core

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *(
            path
            for folder in ("core", "demos", "docs", "scripts", "tests")
            for path in (ROOT / folder).rglob("*.md")
        ),
    ]
    if path.is_file()
)
NODES = ("north", "south")

_FENCED = re.compile(
    r"^(?:<!-- not run: ([^\n]+) -->\n+)?```([^\n]*)\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = re.compile(rf"^((?:{'|'.join(NODES)})?\$ )(.*(?:\n> .*)*)\n?", re.MULTILINE)
_ELSEWHERE = ("/mnt/", "/srv/")
_SECONDS_MAX = 120

_TOOLS = ("sh", "awk", "cmp", "dd", "grep", "head", "seq", "sha256sum", "timeout")

needs_shell = pytest.mark.skipif(
    not all(map(shutil.which, _TOOLS)), reason="no POSIX shell and its tools here"
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line it begins on, why it stays."""

    language: str
    text: str
    line: int
    not_run: str = ""


def blocks(markdown: str) -> list[Block]:
    return [
        Block(
            match[2],
            match[3],
            markdown.count("\n", 0, match.start(2)) + 1,
            match[1] or "",
        )
        for match in _FENCED.finditer(markdown)
    ]


def commands(console: str) -> list[tuple[str, str]]:
    """Return each prompt with its command."""
    return [(match[1], match[2]) for match in _PROMPT.finditer(console)]


def as_shown(shown: str, real: str) -> str:
    """Return what is shown if the real one is like it, else the real one."""
    pattern = "".join(
        r"(?:.*\n)*?"
        if line == "…\n"
        else ".*".join(re.escape(part) for part in line.split("…"))
        for line in shown.splitlines(keepends=True)
    )
    return shown if re.fullmatch(pattern, real) else real


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
            f"{prompt}{command}\n{self._run(prompt, command)}"
            for prompt, command in commands(console)
        )

    def _run(self, prompt: str, command: str) -> str:
        command = command.replace("\n> ", "\n")
        for place in _ELSEWHERE:
            command = command.replace(place, f"{self._top}{place}")
        node = prompt.rstrip("$ ")
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
