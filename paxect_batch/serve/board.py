"""The board: what is known at this moment, written by some threads and read by others.

The relay writes what it does, lookers write what they saw of the share, the listener
reads. Nobody holds the lock while anything but memory is touched, so a share that hangs
stops its looker and nobody else.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from paxect_batch.model.audit import Tally
from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.items import Direction
from paxect_batch.model.run import Standing
from paxect_batch.model.status import ShareStatus
from paxect_batch.model.transfer import Lot, Outcome, Result
from paxect_batch.model.view import (
    DURATION_BOUNDS,
    LISTED_MAX,
    Doings,
    Ground,
    Seen,
    Steps,
    View,
    Viewer,
)
from paxect_batch.report.families import ended_at
from paxect_batch.report.health import health, ready_problems
from paxect_batch.serve.throughput import Throughput

EVENTS_KEPT = 200
_DELIVERED = "delivered"


class Board:
    """Everything that is shown, as it is known at this moment."""

    def __init__(
        self,
        identity: Viewer,
        *,
        has_run: bool = False,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`has_run`: whether there is a run in this process, or will be."""
        self._lock = threading.Lock()
        self._now = now
        self._monotonic = monotonic
        self._start = self._ground_since = self._seen_since = monotonic()
        self._identity = identity
        self._throughput = Throughput()
        self._ground: Ground | None = None
        self._seen: Seen | None = None
        self._steps = {direction: _Counts() for direction in Direction}
        self._events: Counter[str] = Counter()
        self._newest: deque[EventLine] = deque(maxlen=EVENTS_KEPT)
        self._standing = Standing() if has_run else None
        self._is_joined = False
        self._trouble = ""
        self._last_delivery_at: float | None = None
        self._last_success_at: float | None = None

    # -- what the relay writes

    def begin_run(self, *, node: str, run: str, mode: str, watch: bool) -> None:
        """Note the run that is in this process from now on."""
        with self._lock:
            self._identity = msgspec.structs.replace(
                self._identity, node=node, run=run, mode=mode, watch=watch
            )
            self._standing = self._standing or Standing()

    def note_standing(self, standing: Standing) -> None:
        """Take in how the run stands."""
        copy = msgspec.structs.replace(standing)
        with self._lock:
            self._standing = copy
            self._throughput.of_own_run(
                copy.delivered_files, copy.delivered_bytes, at=self._now()
            )

    def note_event(self, line: EventLine, *, is_shown: bool = True) -> None:
        """Count an event, and show it if it is grave enough."""
        with self._lock:
            self._events[line.event] += 1
            if is_shown:
                self._newest.append(line)
            if line.event in (Event.ENCODE, Event.DECODE):
                self._last_delivery_at = self._now()
            elif line.event is Event.STARTUP:
                self._is_joined = True
            elif line.event in (Event.LEASE_LOST, Event.SHUTDOWN):
                self._is_joined = False
            elif line.event is Event.SHARE_TROUBLE:
                self._trouble = line.message or "it failed"
            if line.event in (Event.STARTUP, Event.SHARE_BACK):
                self._trouble = ""

    def note_lot(self, lot: Lot, outcomes: tuple[Outcome, ...]) -> None:
        """Count what a worker did."""
        with self._lock:
            for task, outcome in zip(lot.tasks, outcomes, strict=True):
                self._steps[task.direction].add(outcome, task.identity.size)

    # -- what lookers write

    def note_ground(self, ground: Ground) -> None:
        """Take in whether the share can be worked on."""
        with self._lock:
            self._ground = ground
            self._ground_since = self._monotonic()

    def note_status(
        self,
        status: ShareStatus,
        *,
        took_seconds: float,
        events: tuple[EventLine, ...] = (),
    ) -> None:
        """Take in how the share stands; `events` are those of other processes."""
        seen = _seen(status, at=self._now(), took_seconds=took_seconds)
        with self._lock:
            self._seen = seen
            self._seen_since = self._monotonic()
            own = self._identity.node
            leases = [
                each.lease
                for each in status.nodes
                if each.lease is not None and each.node != own
            ]
            self._throughput.of_others(leases, at=seen.at)
            if events:
                self._newest = deque(events, maxlen=EVENTS_KEPT)
            last = seen.last_run
            if last is not None and last.exit_code == 0:
                ended = ended_at(last) or 0.0
                self._last_success_at = max(self._last_success_at or 0.0, ended)

    # -- what the listener reads

    def newest(self) -> tuple[EventLine, ...]:
        """Return the newest events, the newest first."""
        with self._lock:
            return tuple(reversed(self._newest))

    def view(self) -> View:
        """Return everything as it is known now."""
        now, moment = self._now(), self._monotonic()
        with self._lock:
            doings = self._doings()
            not_ready = ready_problems(
                self._ground, doings, ground_seconds=moment - self._ground_since
            )
            return View(
                at=now,
                uptime_seconds=moment - self._start,
                identity=self._identity,
                health=health(
                    self._seen,
                    self._ground,
                    not_ready,
                    seen_seconds=moment - self._seen_since,
                    bias_flags=doings.bias_flags if doings else 0,
                ),
                not_ready=not_ready,
                rate=self._throughput.rate(now),
                minutes=self._throughput.minutes(now),
                ground=self._ground,
                seen=self._seen,
                doings=doings,
                events=dict(self._events),
                newest=tuple(reversed(self._newest))[:LISTED_MAX],
                last_success_at=self._last_success_at,
            )

    def _doings(self) -> Doings | None:
        standing = self._standing
        if standing is None:
            return None
        done = {
            Direction.ENCODE: (standing.encoded_files, standing.encoded_bytes),
            Direction.DECODE: (standing.decoded_files, standing.decoded_bytes),
        }
        waiting_files = standing.seen_files - (
            standing.delivered_files + standing.set_aside_files + standing.blocked_files
        )
        waiting_bytes = standing.seen_bytes - (
            standing.delivered_bytes + standing.set_aside_bytes + standing.blocked_bytes
        )
        return Doings(
            joined=self._is_joined,
            trouble=self._trouble,
            steps={way: self._steps[way].steps(*done[way]) for way in Direction},
            outcomes={
                _DELIVERED: Tally(standing.delivered_files, standing.delivered_bytes),
                "set_aside": Tally(standing.set_aside_files, standing.set_aside_bytes),
                "blocked": Tally(standing.blocked_files, standing.blocked_bytes),
                "waiting": Tally(max(waiting_files, 0), max(waiting_bytes, 0)),
                "elsewhere": Tally(standing.elsewhere_files, standing.elsewhere_bytes),
            },
            in_flight=Tally(standing.in_flight_files, standing.in_flight_bytes),
            claims_tried=standing.claims_tried,
            claims_lost=standing.claims_lost,
            recovered=standing.recovered,
            bias_flags=standing.bias_flags,
            last_delivery_at=self._last_delivery_at,
            pace=standing.pace,
        )


class _Counts:
    """What workers did in one direction."""

    def __init__(self) -> None:
        failures = [result for result in Result if result is not Result.STAGED]
        self._files: dict[str, int] = dict.fromkeys(map(str, failures), 0)
        self._bytes = dict(self._files)
        self._up_to = [0] * len(DURATION_BOUNDS)
        self._count = 0
        self._sum = 0.0

    def add(self, outcome: Outcome, size: int) -> None:
        """Count one item."""
        if outcome.result is not Result.STAGED:
            self._files[outcome.result] += 1
            self._bytes[outcome.result] += size
        self._count += 1
        self._sum += outcome.seconds
        for place, bound in enumerate(DURATION_BOUNDS):
            self._up_to[place] += outcome.seconds <= bound

    def steps(self, files: int, size: int) -> Steps:
        """Return the counts, with what was published."""
        return Steps(
            files={_DELIVERED: files, **self._files},
            bytes={_DELIVERED: size, **self._bytes},
            seconds_count=self._count,
            seconds_sum=self._sum,
            seconds_up_to=tuple(self._up_to),
        )


def _seen(status: ShareStatus, *, at: float, took_seconds: float) -> Seen:
    newest = sorted(status.set_aside, key=lambda reason: reason.at, reverse=True)
    return Seen(
        at=at,
        took_seconds=took_seconds,
        waiting=status.waiting,
        waiting_seconds=status.waiting_seconds,
        wire=status.wire,
        wire_seconds=status.wire_seconds,
        nodes=status.nodes,
        over=status.over[:LISTED_MAX],
        in_flight=status.in_flight[:LISTED_MAX],
        in_flight_count=len(status.in_flight),
        backing_off=status.backing_off[:LISTED_MAX],
        backing_off_count=len(status.backing_off),
        set_aside=tuple(newest[:LISTED_MAX]),
        set_aside_count=len(newest),
        given_up=status.given_up[:LISTED_MAX],
        given_up_count=len(status.given_up),
        mixed=status.mixed,
        policy_problem=status.policy_problem,
        last_run=status.last_run,
    )
