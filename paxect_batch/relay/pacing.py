"""Hold a run to its pace: observe, have it decided, tell of what changes.

One observation a second while there is anything to take. Without gauges a run goes at
full pace, and nothing is observed, timed or told. Pace changes when items are claimed
and how many share a lot; never what becomes of one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from paxect_batch.model.events import Event
from paxect_batch.model.pace import (
    Cause,
    Limits,
    Observation,
    Pace,
    PaceState,
    PaceStep,
)
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.account import Account
from paxect_batch.relay.dispatch import FILES_MAX, Dispatcher
from paxect_batch.report.amounts import count_text
from paxect_batch.rules import pace as rules
from paxect_batch.rules.plan import (
    BIG_BYTES_MIN,
    LOT_ITEMS_MAX,
    in_flight_bytes_max,
    lot_memory_bytes,
    threads_for,
)
from paxect_batch.seams import Clock, EventLog, Gauges

WINDOW_SECONDS = 1.0
"""How long a decision holds."""
_SLICE_SECONDS = 0.2
T = TypeVar("T")


class Pacer:
    """The pace of one run, for its passes."""

    def __init__(
        self,
        gauges: Gauges | None,
        clock: Clock,
        events: EventLog,
        dispatcher: Dispatcher,
        *,
        options: RunOptions,
        cores: int,
        account: Account,
    ) -> None:
        """Without gauges all goes at full pace."""
        self._gauges = gauges
        self._clock = clock
        self._events = events
        self._dispatcher = dispatcher
        self._options = options
        self._threads = threads_for(BIG_BYTES_MIN, cores=cores, workers=options.workers)
        self._account = account
        self._begin = clock.monotonic() if gauges is not None else 0.0
        self._limits: Limits | None = None
        self._state = PaceState()
        self._pace: Pace | None = None
        self._looked_at = 0.0
        self._claims, self._claim_seconds, self._useful_seconds = 0, 0.0, 0.0
        self._is_working = False
        self._held_bytes = 0
        """Bytes of what was claimed and is not with the workers."""
        self._taken_files = self._taken_bytes = 0
        self._back_files = self._back_bytes = 0

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be claimed for a while."""
        return self._pace is not None and not self._pace.pace

    @property
    def is_quiet(self) -> bool:
        """Whether that is what the operator asked for."""
        return self._pace is not None and self._pace.cause is Cause.QUIET_HOURS

    @property
    def cause(self) -> str:
        """What bounds the pace."""
        return str(self._pace.cause) if self._pace is not None else ""

    @property
    def lot_files(self) -> int:
        """How many items a lot is to hold at most."""
        return self._pace.lot_files if self._pace is not None else LOT_ITEMS_MAX

    @property
    def has_rates(self) -> bool:
        """Whether so many files, or bytes, may be claimed in a time."""
        pace = self._pace
        return pace is not None and (
            pace.files_now is not None or pace.bytes_now is not None
        )

    def begin_pass(self, policy: Policy) -> None:
        """Begin a pass, with the limits that follow from the policy."""
        self._held_bytes = 0
        workers = self._options.workers
        self._limits = Limits(
            workers=workers,
            lots=self._dispatcher.lots_full,
            files=FILES_MAX,
            bytes=in_flight_bytes_max(workers),
            lot_memory_bytes=lot_memory_bytes(policy.frame_bytes, self._threads),
            waits_for_disk=self._options.watch,
            asked=self._options.pace,
        )

    def look(self) -> None:
        """Observe and decide, if it is time."""
        if self._gauges is None or self._limits is None:
            return
        now = self._clock.monotonic() - self._begin
        if self._pace is None or now - self._looked_at >= WINDOW_SECONDS:
            self._decide(self._limits, self._observe(self._gauges, now))

    def has_turn(self) -> bool:
        """Tell whether an item may be claimed now, as far as rates are concerned."""
        pace = self._pace
        if pace is None:
            return True
        files, size = self._taken_since()
        return (pace.files_now is None or files < pace.files_now) and (
            pace.bytes_now is None or size < pace.bytes_now
        )

    def rest(self) -> None:
        """Wait for a moment."""
        with self.working():
            self._clock.sleep(_SLICE_SECONDS)

    def took(self, size: int) -> None:
        """Count an item that was claimed."""
        self._taken_files += 1
        self._taken_bytes += size
        self._held_bytes += size

    def sent(self, size: int) -> None:
        """Count a lot that was handed to the workers."""
        self._held_bytes -= size

    def came_back(self, files: int, size: int) -> None:
        """Count what came back from a worker and was committed."""
        self._back_files += files
        self._back_bytes += size

    def timed(self, claim: Callable[[str], T], key: str) -> T:
        """Claim, and note how quickly the share answers."""
        if self._gauges is None:
            return claim(key)
        begin = self._clock.monotonic()
        try:
            return claim(key)
        finally:
            self._claims += 1
            self._claim_seconds += self._clock.monotonic() - begin

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Time what is no coordination: handing out, waiting for it, committing."""
        if self._gauges is None or self._is_working:
            yield
            return
        self._is_working = True
        begin = self._clock.monotonic()
        try:
            yield
        finally:
            self._is_working = False
            self._useful_seconds += self._clock.monotonic() - begin

    def _taken_since(self) -> tuple[int, int]:
        state = self._state
        return (
            self._taken_files - state.taken_files,
            self._taken_bytes - state.taken_bytes,
        )

    def _observe(self, gauges: Gauges, now: float) -> Observation:
        seen = Observation(
            at_seconds=now,
            around=gauges.read(),
            taken_files=self._taken_files,
            taken_bytes=self._taken_bytes,
            back_files=self._back_files,
            back_bytes=self._back_bytes,
            out_files=self._dispatcher.files,
            out_bytes=self._dispatcher.bytes + self._held_bytes,
            out_lots=self._dispatcher.lots,
            claims=self._claims,
            claim_seconds=self._claim_seconds,
            useful_seconds=self._useful_seconds,
        )
        self._claims, self._claim_seconds, self._useful_seconds = 0, 0.0, 0.0
        self._looked_at = now
        return seen

    def _decide(self, limits: Limits, seen: Observation) -> None:
        before, known = self._state, self._pace
        self._state, self._pace = rules.decide(limits, before, seen)
        pace = self._pace
        self._dispatcher.hold_to(lots=pace.lots, files=pace.files, bytes_max=pace.bytes)
        self._account.standing.pace = rules.shown(limits, self._state, pace)
        # That all goes on as it should is no news to begin with.
        is_news = rules.is_change(known, pace) and not (
            known is None and pace.cause is Cause.NONE
        )
        self._events.write(
            Event.PACE if is_news else Event.PACE_SEEN,
            status="ok" if pace.pace else "paused",
            message=_words(pace),
            pace=PaceStep(limits=limits, before=before, seen=seen, pace=pace),
        )


def _words(pace: Pace) -> str:
    if not pace.pace:
        return f"nothing is claimed for now: {pace.cause}"
    text = (
        f"{pace.pace:g} of full pace, bounded by {pace.cause}: up to "
        f"{count_text(pace.lots, 'lot')}, {count_text(pace.files, 'file')}, "
        f"{pace.bytes >> 20} MiB in flight"
    )
    if pace.held_by is not Cause.NONE:
        text += f"; items wait for {pace.held_by}"
    return text
