"""What the README shows is what happens, and what it points to is there."""

import doctest
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
from paxect_batch.model.errors import Exit

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("core/*.md"),
    ]
    if path.is_file()
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")

needs_shell = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "seq", "head", "dd", "cmp", "grep"))),
    reason="no POSIX shell and its tools here",
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the line it begins on."""

    language: str
    text: str
    line: int


def blocks(markdown: str) -> list[Block]:
    return [
        Block(match[1], match[2], markdown.count("\n", 0, match.start()) + 1)
        for match in _BLOCK.finditer(markdown)
    ]


def commands(console: str) -> list[str]:
    lines = re.findall(r"^\$ .*(?:\n> .*)*", console, re.MULTILINE)
    return [line.removeprefix("$ ").replace("\n> ", "\n") for line in lines]


class Console:
    """A folder in which commands run, with those of this project at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        programs = folder / "programs"
        programs.mkdir()
        # The commands of this very Python, whether or not they were installed.
        python = shlex.quote(sys.executable)
        for package in (paxect_core, paxect_batch):
            name = package.__name__
            program = programs / name.replace("_", "-")
            program.write_text(f'#!/bin/sh\nexec {python} -m {name} "$@"\n')
            program.chmod(0o755)
        homes = [
            Path(package.__file__).parents[1] for package in (paxect_core, paxect_batch)
        ]
        self._variables = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, homes)),
            "LC_ALL": "C",
        }

    def replay(self, console: str) -> str:
        """Return the block as it reads with what its commands really print."""
        return "".join(
            "$ " + command.replace("\n", "\n> ") + "\n" + self._run(command)
            for command in commands(console)
        )

    def _run(self, command: str) -> str:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).stdout


@pytest.mark.slow
@needs_shell
def test_readme_tour_when_replayed_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(tmp_path)
    monkeypatch.chdir(console.folder)
    tour = [block for block in blocks(README) if block.language in ("console", "pycon")]
    assert {block.language for block in tour} == {"console", "pycon"}
    for block in tour:
        if block.language == "console":
            assert console.replay(block.text) == block.text
        else:
            assert doctest_report(block) == ""


def doctest_report(block: Block) -> str:
    example = doctest.DocTestParser().get_doctest(
        block.text, {}, "README.md", "README.md", block.line
    )
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    return "".join(report)


def test_console_when_a_command_spans_lines_keeps_its_prompts(tmp_path: Path) -> None:
    if not shutil.which("sh"):
        pytest.skip("no POSIX shell here")
    text = "$ echo one\none\n$ printf '%s\\n' \\\n> two\ntwo\n"
    assert Console(tmp_path).replay(text) == text


def test_console_when_output_differs_shows_the_real_one(tmp_path: Path) -> None:
    if not shutil.which("sh"):
        pytest.skip("no POSIX shell here")
    assert Console(tmp_path).replay("$ echo one\ntwo\n") == "$ echo one\none\n"


def test_readme_names_the_two_commands_that_ci_runs() -> None:
    shown = [block.text.strip() for block in blocks(README) if block.language == "sh"]
    assert shown == ["python3 scripts/try", "python3 scripts/check"]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ci[-2:] == shown


def test_readme_exit_codes_are_those_of_the_errors() -> None:
    from paxect_core import errors

    table = README.split("## Exit codes")[1].split("## ")[0]
    shown = {int(code) for code in re.findall(r"\d+", "".join(_first_cells(table)))}
    known = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert shown == known | {exit_code.value for exit_code in Exit}


def _first_cells(table: str) -> list[str]:
    return [f"{line.split('|')[1]} " for line in table.splitlines() if line[:1] == "|"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_links_lead_to_files_that_exist(path: Path) -> None:
    text = re.sub(
        r"^```.*?^```$",
        "",
        path.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    links = [link for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in links if not (path.parent / link).exists()]
    assert not missing
