"""The generated pages are what `scripts/reference` makes of the code as it is."""

from pathlib import Path

import pytest
from page_parts import anchor, phrase, table
from reference_pages import PAGES, differing, main
from struct_notes import SUBJECTS

from paxect_batch.cli.commands import COMMANDS
from paxect_batch.cli.settings import SETTINGS
from paxect_batch.model.explanations import Said
from paxect_batch.model.policy import Policy
from paxect_batch.report.explanations import EXPLANATIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def stale() -> dict[str, str]:
    return differing(DOCS)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_makes_of_it(stale: dict[str, str], name: str) -> None:
    assert name not in stale, "run scripts/reference"


def test_check_of_current_pages_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_pages_that_are_missing_or_changed_are_told(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    for name in PAGES:
        (tmp_path / name).write_bytes((DOCS / name).read_bytes())
    (tmp_path / "errors.md").write_text("# Other\n")
    (tmp_path / "reference" / "policy.md").unlink()
    assert set(differing(tmp_path)) == {"errors.md", "reference/policy.md"}


def test_pages_leave_nothing_out() -> None:
    def text(name: str) -> str:
        return (DOCS / name).read_text(encoding="utf-8")

    errors = text("errors.md")
    told = [each for each in EXPLANATIONS if Said.WORD not in each.said]
    assert all(f"\n### `{each.word}`\n" in errors for each in told)
    commands = text("reference/commands.md")
    assert all(f"\n## `paxect-batch {name}`\n" in commands for name in COMMANDS)
    assert all(f"\n| `{name}` |" in text("reference/settings.md") for name in SETTINGS)
    policy = text("reference/policy.md")
    assert all(f"\n| `{name}` |" in policy for name in Policy.__struct_fields__)
    assert all(f"\n## `{name}`\n" in text("reference/records.md") for name in SUBJECTS)


def test_cells_and_anchors_are_as_a_reader_of_markdown_takes_them() -> None:
    assert table(("a",), [("b|c",)]).splitlines()[-1] == "| b\\|c |"
    assert anchor("`quarantine list` and more") == "quarantine-list-and-more"
    assert phrase("SHA-256 of None.") == "SHA-256 of null"
    assert phrase("A file.") == "a file"
