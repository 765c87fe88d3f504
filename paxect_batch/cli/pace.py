"""The decisions of a pace, made again from an event log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.model.errors import ConfigError, Exit, ShareError
from paxect_batch.model.events import EventLine
from paxect_batch.model.pace import Cause, PaceState, PaceStep
from paxect_batch.model.places import LINE_BYTES_MAX, printable
from paxect_batch.model.printed import Replayed
from paxect_batch.report.amounts import count_text
from paxect_batch.report.log_formats import event_in
from paxect_batch.rules.pace import replay


def command(arguments: Arguments) -> int:
    """Print each decision of a log, and whether it comes out the same again."""
    if len(arguments.operands) < 2:
        raise ConfigError(
            "pace replay needs the path of an event log; nothing was touched; "
            "a share has its nodes' own in .paxect/log"
        )
    as_json = arguments.has("json")
    steps = wrong = 0
    known: dict[str, PaceState] = {}
    with _open(arguments.operands[1]) as log:
        for line, step in _steps(log):
            state, pace = replay(step)
            before = known.get(line.run)
            # Where no decision is left out between two, one leads to the other.
            follows = before is None or before.number != step.before.number
            is_same = pace == step.pace and (follows or before == step.before)
            known[line.run] = state
            steps, wrong = steps + 1, wrong + (not is_same)
            console.say(_text(line, step, is_same=is_same, as_json=as_json))
    if not as_json:
        console.say(f"{count_text(steps, 'decision')}, {wrong} that come out otherwise")
    return Exit.INTEGRITY if wrong else Exit.OK


def _open(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise ShareError(
            f"reading {printable(path)} gave {error.strerror or error}; nothing was "
            "touched; name an event log that can be read"
        ) from error


def _steps(log: IO[bytes]) -> Iterator[tuple[EventLine, PaceStep]]:
    """Give the decisions in a log; what is no event is passed over."""
    while data := log.readline(LINE_BYTES_MAX):
        line = event_in(data)
        if line is not None and isinstance(line.pace, PaceStep):
            yield line, line.pace


def _text(line: EventLine, step: PaceStep, *, is_same: bool, as_json: bool) -> str:
    if as_json:
        replayed = Replayed(
            datetime_utc=line.datetime_utc,
            node=line.node,
            run=line.run,
            number=step.before.number + 1,
            same=is_same,
            pace=step.pace,
            seen=step.seen,
        )
        return msgspec.json.encode(replayed).decode()
    pace = step.pace
    held = "" if pace.held_by is Cause.NONE else f", held by {pace.held_by}"
    return printable(
        f"{line.datetime_utc}  {line.node}  {pace.pace:<5g} {pace.cause:<12}  "
        f"{pace.lots} lots, {pace.files} files, {pace.bytes >> 20} MiB{held}"
        + ("" if is_same else "  comes out otherwise")
    )
