"""What was tried and found, as lines and as the page RESULTS.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections import Counter

from crash_rounds import Tried
from crash_scenarios import SCENARIOS

_FINDINGS_MAX = 40
_WAYS = {
    "killed": "kill -9",
    "without power": "power cut (ext4)",
    "any state": "states of POSIX",
}


class Results:
    """The rows of one run of `crash_run.py`."""

    def __init__(self, words: str) -> None:
        self._words = words
        self.findings: list[str] = []
        self._rows: list[Tried] = []
        self._mistakes: dict[str, dict[str, Tried]] = {}
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Have the page say this, once."""
        if text not in self._notes:
            self._notes.append(text)

    def add(self, tried: Tried) -> str:
        """Take a row; return it as a line."""
        self._rows.append(tried)
        self.findings += tried.findings
        if tried.tries == 0:
            self.findings.append(f"{tried.way}, {tried.scenario}: nothing was tried")
        possible = f" of {tried.possible:,} possible" if tried.possible else ""
        return (
            f"{tried.way}, {tried.scenario}: {tried.points} of {tried.changes} changes, "
            f"{tried.tries} tries, {tried.left} left out"
            f"{possible}, {tried.missed} missed, {len(tried.findings)} findings, "
            f"{tried.probes} probes left, {tried.returns} returns, {tried.seconds:.0f} s"
        )

    def add_mistake(self, name: str, tried: Tried) -> str:
        """Take what a deliberate mistake led to; return it as a line."""
        ways = self._mistakes.setdefault(name, {})
        ways[tried.way] = tried
        if tried.way == "any state" and not tried.findings:
            self.findings.append(f"the mistake was not found: {name}")
        return f"{name}, {tried.way}: {_found(tried)}"

    def page(self) -> str:
        """Return the page."""
        return "\n".join([*self._head(), *self._table(), *self._told(), ""])

    def _head(self) -> list[str]:
        day = dt.datetime.now(dt.UTC).date()
        cores = os.cpu_count()
        return [
            "# What crash enumeration found",
            "",
            f"Figures of {day}, {platform.system()} {platform.release()}, Python "
            f"{platform.python_version()}, {cores} cores that others used as well; made by",
            "",
            f"    python tests/crash/crash_run.py {self._words}".rstrip(),
            "",
            "`docs/crash.md` says what the words mean.",
            *[line for note in self._notes for line in ("", note)],
            "",
            "## Tried",
            "",
        ]

    def _table(self) -> list[str]:
        rows = [
            "| crash | transfer | at changes | tried | left out | possible states | "
            "findings | crumbs | seconds |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for row in self._rows:
            possible = _count(row.possible) if row.possible else ""
            rows.append(
                f"| {_WAYS[row.way]} | {row.scenario} | {row.points} of {row.changes} | "
                f"{row.tries:,} | {row.left} | {possible} | {len(row.findings)} | {row.returns} | {row.seconds:.0f} |"
            )
        total = sum(row.tries for row in self._rows)
        missed = sum(row.missed for row in self._rows)
        probes = sum(row.probes for row in self._rows)
        kinds: Counter[str] = Counter()
        for row in self._rows:
            if row.way == "any state":
                kinds += row.kinds
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        whole = sum(row.whole for row in self._rows)
        points = sum(row.points for row in self._rows if row.possible)
        return [
            *rows,
            "",
            f"{total:,} crashes in all; {missed} more never came, since a run that is "
            f"timed otherwise makes fewer changes. {probes:,} probes were left, which go "
            "when they are an hour old.",
            f"All states were made of {whole} of the {points} moments that had their turn.",
            "",
            "Transfers:",
            "",
            *(f"- {each.name}: {each.told}" for each in SCENARIOS.values()),
            "",
            f"Changes by kind, of all transfers: {told}.",
            "",
        ]

    def _told(self) -> list[str]:
        told = ["## Findings of this run", ""]
        told += [f"- {text}" for text in self.findings[:_FINDINGS_MAX]] or ["None."]
        if self._mistakes:
            told += [
                "",
                "## Deliberate mistakes",
                "",
                "Each made by the node that dies, in the transfer `archive`: how many "
                "states, or power cuts, it took.",
                "",
                "| mistake | states of POSIX | power cuts |",
                "| --- | --- | --- |",
            ]
            for name, ways in self._mistakes.items():
                cells = (
                    _found(ways[way]) if way in ways else "not tried"
                    for way in ("any state", "without power")
                )
                told.append(f"| {name} | {' | '.join(cells)} |")
        return told


def _found(tried: Tried) -> str:
    if not tried.findings and not tried.tries:
        return "no time"
    if not tried.findings:
        return f"not in {tried.tries}"
    text = tried.findings[0].partition(": ")[2].split(": ")[0]
    return f"no. {tried.tries}: {text}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**7 else f"{number:.1e}"
