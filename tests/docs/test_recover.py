"""The page for three in the morning mentions whatever may need a person."""

import ast
import errno
import os
import re
import sys

import pytest
from page_blocks import ROOT

from paxect_batch.model.errors import Exit
from paxect_batch.model.events import LEVELS, Event
from paxect_batch.model.explanations import Said
from paxect_batch.model.policy import LogLevel
from paxect_batch.report.explanations import EXPLANATIONS

PAGE = (ROOT / "docs" / "how-to" / "recover.md").read_text(encoding="utf-8")
WORDS = {
    word
    for cell in re.findall(r"`([^`\n]+)`", PAGE)
    for word in re.split(r"[ :]", cell)
}
ALARMING = {LogLevel.WARN, LogLevel.ERROR}
NEEDS_NOBODY = {"changed"}
"""Told as a warning, and over by itself."""


def section(head: str) -> str:
    return PAGE.split(f"\n## {head}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("said", [Said.LEFT, Said.FAILED, Said.FINDING])
def test_page_mentions_every_reason(said: Said) -> None:
    reasons = {each.word for each in EXPLANATIONS if said in each.said}
    assert reasons - WORDS == set()


def test_page_mentions_every_event_that_asks_for_a_look() -> None:
    alarming = {each for each in Event if LEVELS.get(each) in ALARMING}
    assert alarming - WORDS - NEEDS_NOBODY == set()


def test_page_mentions_every_exit_code_and_every_state_of_a_node() -> None:
    cells = [
        line.split("|")[1]
        for line in section("By exit code").splitlines()
        if "|" in line
    ]
    assert {int(code) for cell in cells for code in re.findall(r"\d+", cell)} == set(
        Exit
    )
    lives = {
        each.word.replace("_", " ") for each in EXPLANATIONS if Said.LIFE in each.said
    }
    told = set(re.findall(r"`([^`]+)`", section("A node is silent")))
    assert lives <= told


def said_by_the_program() -> str:
    """Return all texts of the packages, with a space where a value is put in."""
    found = []
    for package in ("paxect_batch", "core/paxect_core"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (getattr(part, "value", " ") for part in node.values)
                    found.append(
                        "".join(p if isinstance(p, str) else " " for p in parts)
                    )
                elif isinstance(node, ast.Constant):
                    found.append(str(node.value))
    return "\n".join(found)


def test_what_the_page_says_is_said_is_said() -> None:
    cells = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    phrases = {phrase for cell in cells for phrase in re.findall(r'"([^"]+)"', cell)}
    assert len(phrases) > 10
    program = said_by_the_program()
    others = {phrase for phrase in phrases if phrase not in program}
    if sys.platform == "linux":
        others -= {os.strerror(number) for number in errno.errorcode}
        assert others == set()
