"""What pages show of commands is what happens."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_blocks import PAGES, ROOT, as_shown, blocks, commands
from page_console import Console, needs_shell

from paxect_batch.cli import arguments
from paxect_core import options

SHELL = {"console", "sh"}
OTHERS = {"", "freq", "ini", "json", "pycon", "toml", "yaml"}
RUN_BY = {
    ("docs/checking.md", "tests/docs/test_checking.py"): 1,
    ("docs/how-to/nightly-etl.md", "tests/deploy/boot_units.py"): 1,
    ("docs/how-to/one-way.md", "tests/docs/test_machines_shown.py"): 1,
    ("docs/how-to/smb-windows.md", "tests/docs/test_machines_shown.py"): 1,
    ("docs/tutorial.md", "tests/lab/tutorial.py"): 5,
}
"""How many blocks of a page are left to a program that has what they need."""
BY_CI = ROOT / "README.md"
"""Its blocks of language `sh` are the two commands of `.ci/run`."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def shown(path: Path) -> list[str]:
    return [
        block.text
        for block in blocks(text(path))
        if block.language == "console" and not block.run_by
    ]


REPLAYED = [path for path in PAGES if path != BY_CI and shown(path)]


@pytest.mark.slow
@needs_shell
@pytest.mark.parametrize("path", REPLAYED, ids=name)
def test_page_when_replayed_prints_what_it_shows(path: Path, tmp_path: Path) -> None:
    console = Console(tmp_path)
    for block in shown(path):
        assert as_shown(block, console.replay(block)) == block


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_blocks_of_commands_are_replayed_or_say_what_runs_them(path: Path) -> None:
    run_by: Counter[tuple[str, str]] = Counter()
    for block in blocks(text(path)):
        assert block.language.split(" ")[0] in SHELL | OTHERS | {"python"}, block.line
        if block.run_by:
            run_by[name(path), block.run_by] += 1
        if block.language in ("sh", "python") and path != BY_CI:
            assert block.run_by, block.line
        if block.language == "console":
            assert commands(block.text), block.line
        if block.language not in SHELL | {"python"}:
            assert not block.run_by, block.line
    assert run_by == {row: n for row, n in RUN_BY.items() if row[0] == name(path)}


def test_programs_that_run_blocks_name_the_page() -> None:
    assert {page for page, _ in RUN_BY} <= {name(path) for path in PAGES}
    for page, program in RUN_BY:
        assert f'"{page}"' in text(ROOT / program)
    assert len(REPLAYED) > 1


def command_lines(markdown: str) -> Iterator[str]:
    """Give the lines of all code that begin with one of our commands."""
    indented = re.findall(r"^(?: {4}.*\n)+", markdown, re.MULTILINE)
    fenced = [block.text for block in blocks(markdown)]
    for code in (*indented, *fenced):
        for line in re.sub(r"\\\n\s*(?:> )?", " ", code).splitlines():
            command = re.sub(r"^\s*(?:\w*\$ )?", "", line)
            if re.match(r"paxect-(batch|core) ", command):
                yield command


def words_of(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("();<>|&"):
            break
        words.append(word)
    return words[:-1] if words[-1].isdigit() and "2>" in command else words


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_commands_on_a_page_have_the_options_that_they_show(path: Path) -> None:
    for command in command_lines(text(path)):
        if "[OPTION...]" in command:
            continue  # a usage line, made of the very table
        program, *words = words_of(command)
        parse = {"paxect-batch": arguments.parse, "paxect-core": options.parse}
        parse[program](words)


def test_command_lines_are_found_wherever_they_stand() -> None:
    page = "    paxect-batch drain A \\\n        --wait\n\n```console\n$ paxect-core x | y\n```\n"
    assert [words_of(line) for line in command_lines(page)] == [
        ["paxect-batch", "drain", "A", "--wait"],
        ["paxect-core", "x"],
    ]
    assert words_of("paxect-batch drain A >b 2>&1") == ["paxect-batch", "drain", "A"]


@needs_shell
def test_console_when_a_command_spans_lines_keeps_its_prompts(tmp_path: Path) -> None:
    page = "$ echo one\none\n$ printf '%s\\n' \\\n> two\ntwo\n"
    assert Console(tmp_path).replay(page) == page


@needs_shell
def test_console_when_output_differs_shows_the_real_one(tmp_path: Path) -> None:
    page = "$ echo one\ntwo\n"
    real = Console(tmp_path).replay(page)
    assert as_shown(page, real) == real == "$ echo one\none\n"


@needs_shell
def test_console_knows_nodes_and_places_outside(tmp_path: Path) -> None:
    page = (
        "north$ echo $PAXECT_BATCH_NODE >/mnt/a; cat /mnt/a\nnorth\n"
        "$ ls /mnt/a; echo ${PAXECT_BATCH_NODE:-none}\n/mnt/a\nnone\n"
    )
    assert Console(tmp_path).replay(page) == page
    assert not Path("/mnt/a").exists()


def test_ellipsis_stands_for_anything_in_a_line_or_for_lines() -> None:
    assert as_shown("a … c\n…\nd\n", "a b c\n1\n2\nd\n") == "a … c\n…\nd\n"
    assert as_shown("a…\n", "b\n") == "b\n"
    assert as_shown("…\nd\n", "d\n") == "…\nd\n"


def test_marker_of_what_runs_a_block_belongs_to_the_block_below_it() -> None:
    page = (
        "<!-- run by a.py, since it needs root -->\n\n```sh\nmount x\n```\n\n"
        "```sh\nls\n```\n"
    )
    assert [block.run_by for block in blocks(page)] == ["a.py", ""]
