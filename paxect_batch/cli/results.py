"""What a run leaves behind: its audit on the share, reports, a summary, the audit line.

Each of them is tried even if another one cannot be written; what could not be written
turns the exit code to 3, in the audit line as well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.colours import painted, tone_of
from paxect_batch.cli.layout import usual_wire
from paxect_batch.cli.runs_of import ids_of
from paxect_batch.cli.settings import SETTINGS, Layer, Settings
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.cli.wiring import World
from paxect_batch.model.audit import Audit, Batch
from paxect_batch.model.errors import BatchError, Exit, worst
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Place, Root, printable
from paxect_batch.model.printed import RunEnd
from paxect_batch.model.records import Record
from paxect_batch.model.run import RunOptions, Standing
from paxect_batch.model.run_settings import RunSettings, SettingInForce
from paxect_batch.relay import state
from paxect_batch.report.audit import audit, audit_json, audit_line, waiting
from paxect_batch.rules.exits import run_exit
from paxect_core import CODEC_VERSION, __version__

if TYPE_CHECKING:
    from paxect_batch.report.summary import Whereabouts

_Value = str | int | float | bool | None


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    standing: Standing
    options: RunOptions
    batch_digest: str
    own: Exit | None
    """What ended the run before its time, if anything."""
    started: str
    duration_seconds: float
    earlier_runs: tuple[str, ...]
    batch: Batch | None
    policy_sha256: str
    """Of the policy that it went by last."""


def report(ending: Ending, settings: Settings, world: World) -> int:
    """Write and print all that is asked for; return the exit code."""
    outcome = _audit(ending)
    data = audit_json(outcome).encode() + b"\n"
    owner = outcome.node, outcome.run
    writers: list[Callable[[], object]] = [
        lambda: state.file_paper(world.share, "runs", *owner, data),
        lambda: _write_settings(settings, outcome, world),
    ]
    if settings.junit is not None:
        writers.append(_junit_writer(settings.junit, outcome, world))
    if settings.textfile is not None:
        writers.append(_textfile_writer(settings.textfile, outcome))
    written = [_tried(writer) for writer in writers]
    if not all(written):
        code = worst({outcome.exit_code, Exit.SHARE})
        outcome = msgspec.structs.replace(outcome, exit_code=int(code))
    if _shows_summary(settings):
        from paxect_batch.report.summary import summary

        standing = ending.standing
        text = summary(
            outcome,
            standing.problems,
            stopped=standing.stopped,
            place=whereabouts(settings),
        )
        verdict, _, rest = text.partition("\n")
        console.say(painted(verdict, tone_of(outcome.exit_code), 1))
        console.say(f"{rest}\n")
    if settings.json:
        console.say(_as_json(outcome, ending.standing))
    console.say(audit_line(outcome))
    return outcome.exit_code


def settings_place(node: str, run: str) -> Place:
    """Return where the settings of a run are written down."""
    return Place(Root.STATE, f"settings/{node}/{run}.json")


def _write_settings(settings: Settings, outcome: Audit, world: World) -> None:
    values = msgspec.to_builtins(settings)
    in_force = {
        name: SettingInForce(
            _told(values[name]), printable(str(settings.origins[name]))
        )
        for name in SETTINGS
    }
    paper = RunSettings(outcome.node, outcome.run, in_force)
    data = state.paper_bytes(paper)
    state.file_paper(world.share, "settings", outcome.node, outcome.run, data)


def _told(value: _Value) -> _Value:
    # A path may have bytes that are no text.
    return printable(value) if isinstance(value, str) else value


def whereabouts(settings: Settings) -> Whereabouts:
    """Return how to name on a command line where this run took place."""
    from paxect_batch.report.summary import Whereabouts

    flags = ("inbox", "outbox", "wire")
    if settings.share is not None:
        words = run_words = shell_word(settings.share)
    else:
        folders = {name: getattr(settings, name) for name in flags}
        words = run_words = _flags(folders)
        inbox, outbox, mode = settings.inbox, settings.outbox, settings.direction
        if settings.wire is None and mode is not Mode.RELAY and inbox and outbox:
            # Other commands do not know in which direction it went.
            words = _flags({**folders, "wire": usual_wire(inbox, outbox, mode)})
    given = {
        name: getattr(settings, name)
        for name in ("policy", "node", "direction")
        if settings.origins[name].layer is Layer.FLAG
    }
    return Whereabouts(words, " ".join(filter(None, (_flags(given), run_words))))


def _flags(values: dict[str, str | None]) -> str:
    return " ".join(
        f"--{name} {shell_word(value)}"
        for name, value in values.items()
        if value is not None
    )


def _audit(ending: Ending) -> Audit:
    left = waiting(ending.standing).files
    code = run_exit(ending.standing, waiting=left, own=ending.own)
    return audit(
        ending.standing,
        ending.options,
        batch_digest=ending.batch_digest,
        policy_sha256=ending.policy_sha256,
        codec=CODEC_VERSION,
        version=__version__,
        started=ending.started,
        duration_seconds=ending.duration_seconds,
        exit_code=int(code),
        earlier_runs=ending.earlier_runs,
        batch=ending.batch,
    )


def _tried(write: Callable[[], object]) -> bool:
    try:
        write()
    except BatchError as error:
        console.complain(error.message)
    except OSError as error:
        console.complain(
            f"recording the run gave: {console.os_error_text(error)}; what was "
            "delivered stays delivered; the audit line below is complete"
        )
    else:
        return True
    return False


def _junit_writer(path: str, outcome: Audit, world: World) -> Callable[[], object]:
    from paxect_batch.report.junit import junit

    def records() -> Iterable[Record]:
        return chain.from_iterable(
            world.ledger.since(outcome.node, run, 0) for run in ids_of(outcome)
        )

    def write() -> None:
        parts = (part.encode() for part in junit(outcome, records))
        console.write_whole(path, parts)

    return write


def _textfile_writer(path: str, outcome: Audit) -> Callable[[], object]:
    from paxect_batch.report.textfile import textfile

    text = textfile(outcome, completed_seconds=round(time.time(), 3))
    return lambda: console.write_whole(path, [text.encode()])


def _as_json(outcome: Audit, standing: Standing) -> str:
    end = RunEnd(outcome, tuple(standing.problems), standing.stopped)
    return json.dumps(msgspec.to_builtins(end), sort_keys=True, separators=(",", ":"))


def _shows_summary(settings: Settings) -> bool:
    if settings.summary is not None:
        return settings.summary
    if settings.quiet or settings.json:
        return False
    # In cron nobody is reading; a pipe with a person at its end has a terminal.
    return any(console.is_terminal(fd) for fd in (0, 1, 2))
