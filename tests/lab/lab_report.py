"""The lab's results as a Markdown table that later runs add to; pure."""

from __future__ import annotations

from dataclasses import dataclass

HEADING = "| protocol | scenario | result | figures | seconds |"
_RULE = "| --- | --- | --- | --- | --- |"


@dataclass(frozen=True)
class Row:
    """One scenario on one protocol."""

    protocol: str
    scenario: str
    seconds: float
    figures: list[str]
    faults: list[str]


def line(row: Row) -> str:
    """Return a line of the table."""
    result = "; ".join(row.faults) if row.faults else "as it must be"
    cells = (row.protocol, row.scenario, result, "; ".join(row.figures))
    words = (*(_cell(cell) for cell in cells), f"{row.seconds:.0f}")
    return f"| {' | '.join(words)} |"


def merged(text: str, rows: list[Row]) -> str:
    """Put rows into the table of a text, in place of those of the same scenario."""
    before, found, rest = text.partition(HEADING)
    old, after = _split(rest) if found else ([], "")
    lines = {_key(each): each for each in old}
    lines.update((_key(line(row)), line(row)) for row in rows)
    table = "\n".join((HEADING, _RULE, *(lines[key] for key in sorted(lines))))
    return f"{before}{table}\n{after}"


def _split(rest: str) -> tuple[list[str], str]:
    """Return the table's lines, and what follows it."""
    lines = rest.lstrip("\n").splitlines(keepends=True)
    end = next(
        (n for n, each in enumerate(lines) if not each.startswith("|")), len(lines)
    )
    table = [each.rstrip("\n") for each in lines[:end] if not each.startswith("| ---")]
    return table, "".join(lines[end:])


def _key(text: str) -> tuple[str, str]:
    cells = [cell.strip() for cell in text.split("|")]
    return cells[1], cells[2]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
