"""What guarantees rest on is there: each test that the pages name exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from page_blocks import PAGES, ROOT

GUARANTEES = 8

_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


NAMING = [page for page in PAGES if _TEST.search(text(page))]
PROMISES = ROOT / "docs" / "guarantees.md"


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def sections(page: Path) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", text(page), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.name)
def test_each_test_that_a_page_names_exists(page: Path) -> None:
    for path, name in _TEST.findall(text(page)):
        assert (ROOT / path).is_file(), path
        assert not name or name in functions_of(path), f"{path}::{name}"


def test_pages_that_name_tests_are_found() -> None:
    names = {page.name for page in NAMING}
    assert names >= {"guarantees.md", "hostile.md", "locks.md", "reliability.md"}


def test_each_guarantee_says_what_it_rests_on_and_what_shows_it() -> None:
    numbered = {
        title: section
        for title, section in sections(PROMISES).items()
        if title[0].isdigit()
    }
    assert len(numbered) == GUARANTEES
    for title, section in numbered.items():
        assert "\nRests on: " in section, title
        assert any(name for _, name in _TEST.findall(section)), title


def test_guarantees_are_those_of_what_must_stay_true() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = page.split("\n## What must stay true\n")[1].split("\n## ")[0]
    promised = re.findall(r"^\d+\. \*\*(.+?)\.?\*\*", section, re.MULTILINE)
    assert len(promised) == GUARANTEES
    shown = [title for title in sections(PROMISES) if title[0].isdigit()]
    for number, (long, title) in enumerate(zip(promised, shown, strict=True), 1):
        assert title.startswith(f"{number}. "), title
        last = re.findall(r"\w+", title.lower())[-1]
        assert last in long.lower(), (title, long)
