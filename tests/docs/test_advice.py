"""What messages advise to type can be typed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from page_blocks import ROOT

from paxect_batch.cli.commands import COMMANDS
from paxect_core import options

OTHERS = {"drain", "help", "version", "no-"}
NO_WORDS = {"run_page.py", "completion_scripts.py"}
"""Modules with texts in which two dashes mean something else."""


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def sources() -> list[Path]:
    return [
        path
        for package in ("paxect_batch", "core/paxect_core")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name not in NO_WORDS
    ]


def test_every_option_that_a_message_names_is_an_option_of_some_command() -> None:
    known = {name for command in COMMANDS.values() for name in command.option_names()}
    known |= {
        option.name
        for command in options.COMMANDS.values()
        for option in command.options
    }
    named = {
        (path.name, word)
        for path in sources()
        for text in texts(path)
        for word in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)
    }
    assert {each for each in named if each[1] not in known | OTHERS} == set()


def test_what_doctor_advises_has_options_of_doctor() -> None:
    known = set(COMMANDS["doctor"].option_names())
    named = {
        (path.name, word)
        for path in (ROOT / "paxect_batch" / "rules").glob("fitness*.py")
        for text in texts(path)
        for word in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)
    }
    assert named
    assert {each for each in named if each[1] not in known} == set()
