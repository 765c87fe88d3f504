"""Help fits a screen, and the man page says the same."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from paxect_batch.cli import man
from paxect_batch.cli.commands import COMMANDS, EXIT_CODES
from paxect_batch.cli.help import help_text, option_words
from paxect_batch.cli.main import _MODULES
from paxect_batch.cli.settings import SETTINGS
from paxect_batch.model.errors import WORST_FIRST, Exit

MAN_PAGES = Path(__file__).parents[2] / "docs" / "man"
NO_SETTINGS = {
    *("help", "dry-run", "config", "all", "to", "run", "checksums"),
    *("peer", "peer-seconds", "pin", "folder", "keep"),
}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_screen_of_80_by_24_and_leaves_a_line_for_the_prompt(
    name: str,
) -> None:
    lines = help_text(*([name] if name else [])).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 23


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option_and_in_full_tells_of_each(name: str) -> None:
    command = COMMANDS[name]
    short, whole = help_text(name), help_text(name, "all")
    assert all(option_words(option) in short for option in command.options)
    assert all(option.text in whole for option in command.options)
    assert all(f"  {code:<5}{EXIT_CODES[code]}" in whole for code in command.exit_codes)
    assert max(map(len, whole.splitlines())) <= 80


def test_help_of_the_program_names_every_command_and_in_full_every_exit_code() -> None:
    short, whole = help_text(), help_text("all")
    assert set(COMMANDS) <= set(re.findall(r"[a-z]+", short))
    assert all(f"  {name:<12}{c.summary}" in whole for name, c in COMMANDS.items())
    assert all(f"  {code:<5}{text}" in whole for code, text in EXIT_CODES.items())


def test_exit_codes_of_the_help_are_those_of_the_program() -> None:
    assert set(EXIT_CODES) == set(Exit)
    last = help_text("all").splitlines()[-1]
    shown = last.partition(": ")[2].rstrip(".").split(", ")
    assert [int(code) for code in shown] == [
        code for code in WORST_FIRST if code is not Exit.OK
    ]


def test_every_option_is_a_setting_or_known_not_to_be_one() -> None:
    for command in COMMANDS.values():
        for option in command.options:
            is_setting = option.name.replace("-", "_") in SETTINGS
            assert is_setting is not (option.name in NO_SETTINGS), option.name


def test_every_command_has_its_module() -> None:
    assert set(_MODULES) == set(COMMANDS)


@pytest.mark.parametrize("program", man.PAGES)
def test_man_page_in_the_tree_is_what_the_tables_make(program: str) -> None:
    assert (MAN_PAGES / f"{program}.1").read_text(encoding="utf-8") == man.page(program)


def test_every_man_page_in_the_tree_is_of_a_program() -> None:
    assert {path.stem for path in MAN_PAGES.iterdir()} == set(man.PAGES)


CHECKERS = {
    "groff": ["groff", "-man", "-Tascii", "-ww", "-z"],
    "mandoc": ["mandoc", "-T", "lint", "-W", "style"],
    "man": ["man", "--warnings=w", "-l"],
}


@pytest.mark.parametrize("program", man.PAGES)
@pytest.mark.parametrize("checker", CHECKERS)
def test_man_page_is_taken_without_a_warning(checker: str, program: str) -> None:
    if shutil.which(checker) is None:
        pytest.skip(f"no {checker} here")
    done = subprocess.run(
        [*CHECKERS[checker], str(MAN_PAGES / f"{program}.1")],
        check=False,
        capture_output=True,
        env=os.environ | {"LC_ALL": "C", "MANWIDTH": "80"},
    )
    # Whether the programs it points to are installed, no page can know.
    said = [
        line
        for line in (
            done.stderr + (done.stdout if checker == "mandoc" else b"")
        ).splitlines()
        if b"referenced manual not found" not in line
    ]
    assert said == []


def test_man_pages_can_be_written_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"{program}.1" for program in man.PAGES]
    assert man.main(list(map(str, files))) == 0
    assert [path.read_text() for path in files] == list(map(man.page, man.PAGES))
    assert man.main([]) == 0
    assert capsys.readouterr().out == man.page("paxect-batch")


def test_man_page_keeps_lines_that_roff_would_take_for_requests() -> None:
    assert man._plain(".hidden") == "\\&.hidden"
    assert man._plain("a\\b-~") == "a\\eb\\-\\(ti"
