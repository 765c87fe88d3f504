"""Everything that a view knows as metrics: what `/metrics` shows.

Names follow the conventions of Prometheus: base units, `_total` for what only grows. No
file has a label of its own, so the number of samples depends on nodes, never on files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from paxect_batch.model.audit import Tally
from paxect_batch.model.events import Event
from paxect_batch.model.pace import Cause, PaceNow
from paxect_batch.model.status import Life, NodeStatus
from paxect_batch.model.view import (
    DURATION_BOUNDS,
    Doings,
    Ground,
    Seen,
    Steps,
    View,
    Wellness,
)
from paxect_batch.report.families import (
    PREFIX,
    Distribution,
    Family,
    MetricKind,
    ended_at,
    family,
    last_run_families,
)

RETRY_REASONS = (
    Event.CHANGED,
    Event.CHECKSUM_MISMATCH,
    Event.COLLISION,
    Event.DECODE_ERROR,
    Event.ENCODE_ERROR,
    Event.WORKER_DIED,
)
"""Events after which an item is tried again, or set aside."""
NODES_MAX = 200
"""Of so many nodes there are samples, so that nobody can flood a monitoring system."""

_COUNTER = MetricKind.COUNTER


def view_families(view: View) -> tuple[Family, ...]:
    """Return all metrics of a view."""
    return tuple(_all(view))


def _all(view: View) -> Iterator[Family]:
    yield from _process(view)
    if view.doings is not None:
        yield from _event_counts(view.events)
        yield from _doings(view.doings)
    if view.ground is not None:
        yield from _ground(view.ground, view.at)
    if view.seen is not None:
        yield from _seen(view.seen, view.at)
        if view.seen.last_run is not None:
            last = view.seen.last_run
            yield from last_run_families(last, completed_seconds=ended_at(last))


def _one(
    name: str, text: str, value: float, kind: MetricKind = MetricKind.GAUGE
) -> Family:
    return family(name, text, [({}, value)], kind)


def _process(view: View) -> Iterator[Family]:
    who = view.identity
    build = {"version": who.version, "codec": who.codec, "python": who.python}
    yield family("build_info", "What runs here; always 1.", [(build, 1)])
    if who.run:
        run = {"node": who.node, "run": who.run, "mode": who.mode}
        yield family("run_info", "The run in this process; always 1.", [(run, 1)])
    yield _one("uptime_seconds", "Since when it serves.", view.uptime_seconds)
    yield _one(
        "ready", "Whether the share can be worked on, as /ready.", not view.not_ready
    )
    yield family(
        "health",
        "1 for how the share does: well, care, trouble or unknown.",
        [({"state": each}, each is view.health.wellness) for each in Wellness],
    )
    yield _one(
        "delivered_files_per_second",
        "Files delivered by all nodes in the last seconds.",
        view.rate.files_per_second,
    )
    yield _one(
        "delivered_bytes_per_second",
        "Bytes delivered by all nodes in the last seconds.",
        view.rate.bytes_per_second,
    )
    if view.last_success_at is not None:
        yield _one(
            "last_success_timestamp_seconds",
            "When a run that delivered everything ended last.",
            view.last_success_at,
        )


def _event_counts(events: dict[str, int]) -> Iterator[Family]:
    yield family(
        "events_total",
        "Events of the run in this process, by kind.",
        [({"event": each}, events.get(each, 0)) for each in Event],
        _COUNTER,
    )
    yield family(
        "retries_total",
        "Tries that failed, by reason; the item is tried again or set aside.",
        [({"reason": each}, events.get(each, 0)) for each in RETRY_REASONS],
        _COUNTER,
    )
    for name, event, text in (
        ("taken_over_total", Event.TAKE_OVER, "Runs of others that were taken over."),
        ("leases_lost_total", Event.LEASE_LOST, "Leases of its own that it lost."),
        ("set_aside_files_total", Event.SET_ASIDE, "Files that were set aside."),
        ("share_troubles_total", Event.SHARE_TROUBLE, "Failures of the whole share."),
    ):
        yield _one(name, text, events.get(event, 0), _COUNTER)


def _doings(doings: Doings) -> Iterator[Family]:
    steps = sorted(doings.steps.items())
    yield family(
        "files_total",
        "Files by direction and outcome.",
        [
            ({"direction": way, "outcome": outcome}, count)
            for way, step in steps
            for outcome, count in sorted(step.files.items())
        ],
        _COUNTER,
    )
    yield family(
        "bytes_total",
        "Raw bytes of these files.",
        [
            ({"direction": way, "outcome": outcome}, count)
            for way, step in steps
            for outcome, count in sorted(step.bytes.items())
        ],
        _COUNTER,
    )
    yield Family(
        f"{PREFIX}item_duration_seconds",
        MetricKind.HISTOGRAM,
        "How long a worker took for an item.",
        distributions=tuple(_durations(way, step) for way, step in steps),
    )
    yield family(
        "run_files",
        "Files that the run sees, by what became of them.",
        [({"outcome": n}, tally.files) for n, tally in sorted(doings.outcomes.items())],
    )
    yield family(
        "run_bytes",
        "Bytes of these files.",
        [({"outcome": n}, tally.bytes) for n, tally in sorted(doings.outcomes.items())],
    )
    for name, text, value in (
        ("in_flight_files", "Files that are being worked on.", doings.in_flight.files),
        ("in_flight_bytes", "Bytes of these files.", doings.in_flight.bytes),
        ("joined", "Whether the run holds its lease.", doings.joined),
        ("bias_flags", "Determinism self-checks that differed.", doings.bias_flags),
        ("recovered_files", "Files finished that were half done.", doings.recovered),
    ):
        yield _one(name, text, value)
    claims = {
        "won": doings.claims_tried - doings.claims_lost,
        "lost": doings.claims_lost,
    }
    yield family(
        "claims_total",
        "Claims that were tried, and whether another node had the item.",
        [({"outcome": name}, count) for name, count in claims.items()],
        _COUNTER,
    )
    if doings.pace is not None:
        yield from _pace(doings.pace)
    if doings.last_delivery_at is not None:
        yield _one(
            "last_delivery_timestamp_seconds",
            "When the run published a file last.",
            doings.last_delivery_at,
        )


def _pace(now: PaceNow) -> Iterator[Family]:
    pace = now.pace
    yield family(
        "pace_cause",
        "1 for what bounds the pace.",
        [({"cause": each}, each is pace.cause) for each in Cause],
    )
    for name, text, value in (
        ("pace_ratio", "How much of full pace is allowed; 0 is a pause.", pace.pace),
        ("pace_overhead_ratio", "Part of the time for coordination.", now.overhead),
        ("pace_lots", "Lots that may be in flight.", pace.lots),
        ("pace_files", "Items that may be in flight.", pace.files),
        ("pace_bytes", "Bytes that may be in flight.", pace.bytes),
    ):
        yield _one(name, text, value)


def _durations(direction: str, step: Steps) -> Distribution:
    counts = step.seconds_up_to or (0,) * len(DURATION_BOUNDS)
    return Distribution(
        {"direction": direction},
        tuple(zip(DURATION_BOUNDS, counts, strict=True)),
        step.seconds_count,
        step.seconds_sum,
    )


def _ground(ground: Ground, now: float) -> Iterator[Family]:
    yield _one(
        "share_tried_age_seconds",
        "How long ago the share was tried for being ready.",
        max(now - ground.at, 0.0),
    )
    yield family(
        "share_free_bytes",
        "Free space for each folder of the share.",
        [({"root": root}, free) for root, free in sorted(ground.free_bytes.items())],
    )
    if ground.clock_skew_seconds is not None:
        yield _one(
            "clock_skew_seconds",
            "How far the share's clock is ahead of this machine's.",
            ground.clock_skew_seconds,
        )


def _seen(seen: Seen, now: float) -> Iterator[Family]:
    heaps: tuple[tuple[str, Tally, float], ...] = (
        ("inbox", seen.waiting, seen.waiting_seconds),
        ("wire", seen.wire, seen.wire_seconds),
    )
    yield family(
        "waiting_files",
        "Files that lie in the inbox or on the wire.",
        [({"root": root}, tally.files) for root, tally, _ in heaps],
    )
    yield family(
        "waiting_bytes",
        "Bytes of these files.",
        [({"root": root}, tally.bytes) for root, tally, _ in heaps],
    )
    yield family(
        "waiting_oldest_seconds",
        "Age of the oldest of them, by its last change.",
        [({"root": root}, seconds) for root, _, seconds in heaps],
    )
    lives = Counter(node.life for node in seen.nodes)
    yield family(
        "nodes",
        "Nodes that have a lease, by whether they show life.",
        [({"life": life}, lives[life]) for life in _LIVES],
    )
    oldest = max((each.age_seconds for each in seen.in_flight), default=0.0)
    for name, text, value in (
        ("runs_over", "Runs taken for dead and not recovered.", len(seen.over)),
        ("held_oldest_seconds", "Age of the oldest claim or intent.", oldest),
        ("held", "Claims and intents on the share.", seen.in_flight_count),
        ("backing_off_files", "Files that wait to be tried.", seen.backing_off_count),
        ("quarantine_files", "Files in quarantine.", seen.set_aside_count),
        ("given_up_files", "Set aside where they were.", seen.given_up_count),
        ("mixed", "Whether codecs or policies differ.", bool(seen.mixed)),
        ("policy_refused", "Whether no run can begin.", bool(seen.policy_problem)),
        ("share_seen_age_seconds", "Age of this look.", max(now - seen.at, 0.0)),
        ("share_look_duration_seconds", "How long it took.", seen.took_seconds),
    ):
        yield _one(name, text, value)
    yield from _nodes(seen.nodes[:NODES_MAX])


_LIVES = (Life.ALIVE, Life.SILENT, Life.NOT_RUNNING, Life.UNREADABLE)


def _nodes(nodes: tuple[NodeStatus, ...]) -> Iterator[Family]:
    yield family(
        "node_alive",
        "Whether the node shows life.",
        [({"node": each.node}, each.life is Life.ALIVE) for each in nodes],
    )
    yield family(
        "node_claims",
        "Claims that the node holds.",
        [({"node": each.node}, each.claims) for each in nodes],
    )
    words = [(each.node, each.lease.word) for each in nodes if each.lease is not None]
    yield family(
        "node_delivered_files",
        "Files that the node's run delivered so far, as it says.",
        [({"node": node}, word.delivered_files) for node, word in words],
    )
    yield family(
        "node_delivered_bytes",
        "Bytes of these files.",
        [({"node": node}, word.delivered_bytes) for node, word in words],
    )
    yield family(
        "node_in_flight_bytes",
        "Bytes that the node works on, as it says.",
        [({"node": node}, word.in_flight_bytes) for node, word in words],
    )
