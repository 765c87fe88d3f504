"""Write a report about one run, as a page of HTML; looks only."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.opened import Opened, open_share
from paxect_batch.cli.results import settings_place
from paxect_batch.cli.runs_of import audit_of, ids_of
from paxect_batch.cli.status_facts import last_run
from paxect_batch.cli.visible import VisibleShare
from paxect_batch.model.audit import Audit
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.events import EventLine
from paxect_batch.model.moments import utc
from paxect_batch.model.places import LINE_BYTES_MAX, Place
from paxect_batch.model.policy import LogLevel
from paxect_batch.model.run_settings import RunSettings
from paxect_batch.relay import state
from paxect_batch.report.log_formats import event_in
from paxect_batch.report.run_fold import RunFold
from paxect_batch.report.run_page import RunFacts, run_page
from paxect_batch.seams import Share
from paxect_batch.world.ledger import read_ledger
from paxect_batch.world.ledger_files import ledger_place

PROBLEMS_MAX = 200
_GRAVE = (LogLevel.WARN, LogLevel.ERROR)


def command(arguments: Arguments) -> int:
    """Write the report of the run that is named, or of the last one."""
    opened = open_share(arguments)
    audit = _audit(VisibleShare(opened.share.roots), arguments.values.get("run"))
    fold = RunFold(audit)
    for run in ids_of(audit):
        for record in read_ledger(opened.share, ledger_place(audit.node, run), 0):
            fold.add(record)
    facts = RunFacts(
        share=opened.layout.share or opened.layout.words,
        made_at=utc(time.time()),
        problems=tuple(_problems(opened, audit)),
        settings=state.load_paper(
            opened.share, settings_place(audit.node, audit.run), RunSettings
        ),
    )
    page = run_page(fold, facts)
    path = arguments.values.get("to")
    if path is None:
        console.say("".join(page).rstrip("\n"))
    else:
        console.write_whole(
            path, (part.encode(errors="backslashreplace") for part in page)
        )
    return Exit.OK


def _audit(share: Share, run: str | None) -> Audit:
    if run is None:
        found = last_run(share)
        if found is None:
            raise ConfigError(
                "no run ended here yet; nothing was written; a run has its report once "
                "it has ended"
            )
        return found
    audit = audit_of(share, run)
    if audit is not None:
        return audit
    raise ConfigError(
        f"no run {run!r} ended here; nothing was written; the audit line of a run has "
        "its id, as have the names in .paxect/runs"
    )


def _problems(opened: Opened, audit: Audit) -> Iterator[EventLine]:
    """Give what the run's log still has of its warnings and errors, oldest first."""
    left, runs = PROBLEMS_MAX, ids_of(audit)
    own = f"{audit.node}.jsonl"
    places = [
        place
        for place in state.files_in(opened.share, state.state("log"))
        if place.name == own or place.name.startswith(f"{own}.")
    ]
    # The highest number is the oldest.
    for place in sorted(places, key=lambda place: place.name, reverse=True):
        for line in _lines(opened.share, place):
            if line.run in runs and line.level in _GRAVE and left:
                left -= 1
                yield line


def _lines(share: Share, place: Place) -> Iterator[EventLine]:
    try:
        stream = share.open_source(place)
    except OSError:
        return
    with stream:
        lines = io.BufferedReader(stream)  # type: ignore[type-var]
        while data := lines.readline(LINE_BYTES_MAX):
            line = event_in(data)
            if line is not None:
                yield line
