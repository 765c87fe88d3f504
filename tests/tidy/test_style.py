"""What style.md asks of every source file, as far as it can be counted."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES_MAX = 400
BANNED_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "base",
}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found)


PACKAGES = sources("core/paxect_core", "paxect_batch")
EVERYTHING = sources("core", "paxect_batch", "demos", "tests", "scripts")


def test_there_are_sources_to_look_at() -> None:
    assert len(PACKAGES) > 20
    assert Path("tests/tidy/test_style.py") in EVERYTHING


@pytest.mark.parametrize("path", PACKAGES, ids=str)
def test_source_file_is_short_finished_and_says_what_it_is(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_MAX
    assert UNFINISHED.findall(text) == []
    assert ast.get_docstring(ast.parse(text)), "no module docstring"


@pytest.mark.parametrize("path", EVERYTHING, ids=str)
def test_source_file_is_named_after_what_it_does(path: Path) -> None:
    words = {part.removesuffix(".py").strip("_") for part in path.parts}
    assert words & BANNED_NAMES == set()


@pytest.mark.parametrize(
    "text", ["# TODO: more", "raise NotImplementedError", "x = 1  # FIXME", "# XXX"]
)
def test_unfinished_work_is_recognised(text: str) -> None:
    assert UNFINISHED.search(text)


def test_no_two_modules_beside_the_tests_answer_to_one_name() -> None:
    # They are imported by their bare names into one process: the first would win.
    beside = [
        path.name
        for path in sources("core/vectors", "scripts", "tests")
        if path.name != "conftest.py" and not path.name.startswith("test_")
    ]
    assert sorted(beside) == sorted(set(beside))
