"""What `doctor` says to a person: the worst and the verdict come last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from paxect_batch.model.fitness import Finding, Fitness, Level

COLUMNS = 80
_INDENT = 7

_LABELS = {Level.OK: "ok", Level.NOTE: "note", Level.CARE: "care", Level.UNFIT: "UNFIT"}


def report(fitness: Fitness) -> Iterator[str]:
    """Give the lines for a share."""
    for level in Level:
        for finding in fitness.findings:
            if finding.level is level:
                yield from _finding_lines(finding)
    yield ""
    yield f"share    {_plain(fitness.probed.share)}"
    locks = "nothing" if fitness.locks is None else fitness.locks
    pinned = "not pinned" if fitness.pinned is None else f"pinned: {fitness.pinned}"
    yield f"locks    rest on {locks} ({_plain(pinned)})"
    yield f"verdict  {fitness.verdict}"


def _finding_lines(finding: Finding) -> Iterator[str]:
    lines = list(_wrapped(finding.found))
    label = _LABELS[finding.level]
    yield f"{label:<{_INDENT}}{lines[0].strip()}"
    yield from lines[1:]
    yield from _wrapped(finding.means)
    if finding.advice:
        first, *rest = _wrapped(finding.advice, indent=_INDENT + 3)
        yield f"{'':{_INDENT}}-> {first.strip()}"
        yield from rest


def _wrapped(text: str, *, indent: int = _INDENT) -> list[str]:
    blank = " " * indent
    return textwrap.wrap(
        _plain(text), COLUMNS, initial_indent=blank, subsequent_indent=blank
    ) or [blank]


def _plain(text: str) -> str:
    """Return the text as a terminal may have it: names may hold anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
