"""`docs/reference/events.md` and `metrics.md`."""

from collections.abc import Iterator

import msgspec
from page_parts import anchor, code, page, phrase, table, wrapped
from struct_notes import notes_of

from paxect_batch.cli.wiring import TOLD
from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.events import LEVELS, Event, EventLine
from paxect_batch.model.leases import Lease, Machine
from paxect_batch.model.pace import Cause, Limits, Pace, PaceNow
from paxect_batch.model.policy import LogLevel
from paxect_batch.model.status import Life, NodeStatus
from paxect_batch.model.view import (
    Doings,
    Ground,
    Health,
    Rate,
    Seen,
    Steps,
    View,
    Viewer,
    Wellness,
)
from paxect_batch.report.explanations import explained
from paxect_batch.report.families import Family, last_run_families
from paxect_batch.report.metrics import view_families

_FIELDS = {
    "datetime_utc": "when, in UTC, by the clock of the machine",
    "level": "`debug`, `info`, `warn` or `error`",
    "event": "which event, as below",
    "src": "the file, folder or node that it is about, if any",
    "dst": "where that went, if anywhere",
    "status": "`ok`, or in a word what became of it",
    "message": "more, for a person; the reason of `policy_block`",
    "version": "of the program",
    "node": "the node that wrote it",
    "run": "the run that wrote it",
}


def events_page() -> str:
    """Return the page of the events."""
    notes = notes_of(EventLine)
    fields = [
        (code(field.name), _FIELDS.get(field.name) or phrase(notes[field.name]))
        for field in msgspec.structs.fields(EventLine)
    ]
    rows = [
        (
            f"[`{each}`](../errors.md#{anchor(each)})",
            code(LEVELS.get(each, LogLevel.INFO)),
            "yes" if each in TOLD else "",
            explained(each)[0].means,
        )
        for each in Event
    ]
    return page(
        "Events",
        _EVENTS,
        table(("field", "holds"), fields),
        "## All events",
        table(("event", "level", "told", "means"), rows),
        wrapped(
            "`told`: said on standard error as well, whatever `log_level` is. So is "
            "what went wrong with a file, and `pace` when nothing is claimed."
        ),
    )


_EVENTS = """
One JSON object a line, in `.paxect/log/NODE.jsonl` or the file that `--log` names. The
policy's `log_level` is the least that is logged. These are the fields of the format
`jsonl`; [monitoring.md](../monitoring.md#log-systems) has those of the others, and
`paxect-batch schema event` the schema. The log is rotated at `log_bytes_max`. What is
the same at each scan, as `policy_block`, is logged once in a run.
"""


def metrics_page() -> str:
    """Return the page of the metrics."""
    audit = _an_audit()
    last = {each.name for each in last_run_families(audit, completed_seconds=0.0)}
    rows = [
        (
            code(each.name),
            str(each.kind),
            ", ".join(map(code, _labels(each))),
            each.text,
        )
        for each in view_families(_a_view(audit))
    ]
    return page(
        "Metrics",
        _METRICS,
        table(("metric", "kind", "labels", "says"), rows),
        "`drain --textfile FILE` writes these, for the textfile collector of the node "
        "exporter:",
        ", ".join(code(name) for name in sorted(last)).replace(", ", ",\n"),
        wrapped(
            "And beside the others `/metrics` has `paxect_batch_http_requests_total`, "
            "a counter of requests by `path` and `code`."
        ),
    )


_METRICS = """
What `/metrics` of a listener has, in the text format of Prometheus or as OpenMetrics;
see [monitoring.md](../monitoring.md#prometheus). Those that tell of a run in the
process are missing from `serve`. No name of a file is ever a label.
"""


def _labels(family: Family) -> Iterator[str]:
    for sample in (*family.samples, *family.distributions):
        yield from sample.labels
        return


def _an_audit() -> Audit:
    none = Tally()
    return Audit(
        bias_flags=0,
        deterministic=True,
        seen=none,
        delivered=none,
        set_aside=none,
        blocked=none,
        waiting=none,
        encoded=none,
        decoded=none,
        recovered=0,
        batch_digest="",
        policy_sha256="",
        codec="",
        node="north",
        run="run",
        mode="relay",
        started="2026-11-21T02:15:00+00:00",
        duration_seconds=1.0,
        exit_code=0,
        version="",
    )


def _a_view(audit: Audit) -> View:
    """Return a view in which everything is there that may be."""
    machine = Machine("host", "machine", "boot", 1, "0")
    lease = Lease("north", "run", "batch", machine, 10.0, "")
    node = NodeStatus(
        node="north",
        life=Life.ALIVE,
        silent_seconds=0.0,
        last_beat_at="",
        claims=0,
        lease=lease,
    )
    seen = Seen(
        at=0.0,
        took_seconds=0.0,
        waiting=Tally(),
        waiting_seconds=0.0,
        wire=Tally(),
        wire_seconds=0.0,
        nodes=(node,),
        over=(),
        in_flight=(),
        in_flight_count=0,
        backing_off=(),
        backing_off_count=0,
        set_aside=(),
        set_aside_count=0,
        mixed=(),
        policy_problem="",
        last_run=audit,
    )
    step = Steps(files={"delivered": 1}, bytes={"delivered": 1})
    doings = Doings(
        steps={"encode": step},
        outcomes={"delivered": Tally()},
        last_delivery_at=0.0,
        pace=_a_pace(),
    )
    return View(
        at=0.0,
        uptime_seconds=0.0,
        identity=Viewer(
            version="", codec="", python="", share="", node="north", run="run"
        ),
        health=Health(Wellness.WELL),
        not_ready=(),
        rate=Rate(),
        minutes=(),
        ground=Ground(at=0.0, free_bytes={"inbox": 1}, clock_skew_seconds=0.0),
        seen=seen,
        doings=doings,
        events={},
        newest=(),
        last_success_at=0.0,
    )


def _a_pace() -> PaceNow:
    return PaceNow(
        limits=Limits(workers=1, lots=1, files=1, bytes=1),
        pace=Pace(pace=1.0, cause=Cause.NONE, lots=1, files=1, bytes=1, lot_files=1),
        since_seconds=0.0,
    )
