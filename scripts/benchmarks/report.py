"""What a benchmark found: cases with their rounds, as a table and as JSON."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass, field, fields
from statistics import median


@dataclass(frozen=True)
class Case:
    """Our seconds beside the rival's, round by round, and what was to be reached."""

    name: str
    input: str
    raw_bytes: int
    ours: str
    rival: str
    ours_seconds: list[float]
    rival_seconds: list[float]
    target: float | None
    at_most: bool = False
    """The ratio is ours to rival and must not exceed the target."""
    against: str = ""
    """The rival in few words, if it is a tool that people use."""

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours_seconds, self.rival_seconds, strict=True)
        if self.at_most:
            return [ours / rival for ours, rival in pairs]
        return [rival / ours for ours, rival in pairs]

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, or None where there is none."""
        if self.target is None:
            return None
        ratio = median(self.ratios)
        return ratio <= self.target if self.at_most else ratio >= self.target


@dataclass(frozen=True)
class Report:
    """All cases of one run, and the circumstances."""

    machine: dict[str, object]
    notes: list[str]
    cases: list[Case] = field(default_factory=list)


def all_met(report: Report) -> bool:
    return all(case.met is not False for case in report.cases)


def as_json(report: Report) -> dict[str, object]:
    return {
        "machine": report.machine,
        "notes": report.notes,
        "cases": [
            asdict(case)
            | {
                "ratios": case.ratios,
                "ratio_median": median(case.ratios),
                "met": case.met,
            }
            for case in report.cases
        ],
    }


def cases_of(document: dict[str, list[dict[str, object]]]) -> list[Case]:
    """Return the cases of what `as_json` gave."""
    names = [each.name for each in fields(Case)]
    return [
        Case(**{name: case[name] for name in names})  # type: ignore[arg-type]
        for case in document["cases"]
    ]


def table(report: Report) -> str:
    """Return the circumstances, a Markdown table, and the commands compared."""
    lines = [f"{name}: {value}" for name, value in report.machine.items()]
    for note in report.notes:
        lines += textwrap.wrap(note, 88)
    lines += ["", *_rows(report.cases), ""]
    for name in dict.fromkeys(case.name for case in report.cases):
        case = next(case for case in report.cases if case.name == name)
        lines += [name, f"  ours:  {case.ours}", f"  rival: {case.rival}"]
    return "\n".join(lines)


def _rows(cases: list[Case]) -> list[str]:
    head = (
        ("case", "input", "ours", "rival"),
        ("ratio", "[min .. max]", "target", "met"),
    )
    rows = [[*head[0], *head[1]]]
    for case in cases:
        ratios = case.ratios
        rows.append(
            [
                case.name,
                case.input,
                _speed(case.raw_bytes, median(case.ours_seconds)),
                _speed(case.raw_bytes, median(case.rival_seconds)),
                f"{median(ratios):.2f}",
                f"[{min(ratios):.2f} .. {max(ratios):.2f}]",
                _target(case),
                {True: "yes", False: "NO", None: "-"}[case.met],
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def _target(case: Case) -> str:
    if case.target is None:
        return "-"
    return f"{'<=' if case.at_most else '>='} {case.target}"


def _speed(raw_bytes: int, seconds: float) -> str:
    if raw_bytes < 1 << 20:
        return f"{seconds * 1e3:.1f} ms"
    return f"{raw_bytes / seconds / 1e6:.0f} MB/s"
