"""What pages show of commands is what happens."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_blocks import (
    PAGES,
    ROOT,
    Console,
    as_shown,
    blocks,
    commands,
    needs_shell,
)

from paxect_batch.cli import arguments
from paxect_core import options

SHELL = {"console", "sh"}
OTHERS = {"", "freq", "ini", "json", "pycon", "toml", "yaml"}
NOT_RUN = {
    "docs/how-to/nightly-etl.md": 1,
    "docs/how-to/one-way.md": 1,
    "docs/how-to/smb-windows.md": 1,
    "docs/tutorial.md": 4,
}
"""How many blocks of a page no test runs."""
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
        if block.language == "console" and not block.not_run
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
def test_blocks_of_commands_are_run_or_say_why_not(path: Path) -> None:
    not_run = 0
    for block in blocks(text(path)):
        assert block.language.split(" ")[0] in SHELL | OTHERS, block.line
        not_run += bool(block.not_run)
        if block.language == "sh" and path != BY_CI:
            assert block.not_run, block.line
        if block.language == "console":
            assert commands(block.text), block.line
        if block.language not in SHELL:
            assert not block.not_run, block.line
    assert not_run == NOT_RUN.get(name(path), 0)


def test_pages_that_are_counted_are_there() -> None:
    assert set(NOT_RUN) <= {name(path) for path in PAGES}
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


def test_marker_of_a_block_that_is_not_run_belongs_to_the_block_below_it() -> None:
    page = "<!-- not run: needs root -->\n\n```sh\nmount x\n```\n\n```sh\nls\n```\n"
    assert [block.not_run for block in blocks(page)] == ["needs root", ""]
