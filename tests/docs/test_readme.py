"""What the README shows is what happens, and its tables are those of the code."""

import doctest
import re
from pathlib import Path

import pytest
from page_blocks import Block, as_shown, blocks
from page_console import Console, needs_shell

from paxect_batch.model.errors import Exit

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
            assert as_shown(block.text, console.replay(block.text)) == block.text
        else:
            assert doctest_report(block) == ""


def doctest_report(block: Block) -> str:
    example = doctest.DocTestParser().get_doctest(
        block.text, {}, "README.md", "README.md", block.line
    )
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    return "".join(report)


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
