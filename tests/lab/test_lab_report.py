"""How the lab's results are kept as a table."""

from lab_report import HEADING, Row, line, merged


def row(scenario: str, *, faults: tuple[str, ...] = ()) -> Row:
    return Row("nfs", scenario, 12.3, ["2 files"], list(faults))


def test_line_when_there_is_no_fault_says_so() -> None:
    assert line(row("two")) == "| nfs | two | as it must be | 2 files | 12 |"


def test_line_when_there_are_faults_holds_each_in_one_cell() -> None:
    told = line(row("two", faults=("lost: a|b", "line\nbreak")))
    assert told == "| nfs | two | lost: a/b; line break | 2 files | 12 |"


def test_merged_into_nothing_is_a_table() -> None:
    assert merged("", [row("two")]).splitlines()[0] == HEADING


def test_merged_when_a_scenario_was_there_replaces_its_line_only() -> None:
    text = merged("# Results\n\n", [row("two", faults=("lost: a",)), row("cut")])
    text = merged(f"{text}\nMore words.\n", [row("two")])
    assert "lost" not in text
    assert text.count("| nfs | ") == 2
    assert text.startswith("# Results\n\n")
    assert text.endswith("\nMore words.\n")


def test_merged_keeps_one_table_sorted_by_protocol_and_scenario() -> None:
    text = merged(merged("", [row("two")]), [row("cut")])
    lines = text.splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| nfs | cut")
