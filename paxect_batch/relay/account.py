"""Keep account of a run: its standing, its batch digest, and what was said before.

Delivered and set-aside items are counted when it happens; blocked and waiting ones
anew in each pass, so that what is remembered does not grow with the inbox.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Entry, Item, Kind, Mode
from paxect_batch.model.leases import Word
from paxect_batch.model.places import Place
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run import Decision, Standing, Verdict
from paxect_batch.model.transfer import Task
from paxect_batch.report.digest import BatchDigest
from paxect_batch.seams import EventLog

PROBLEMS_MAX = 8
SAID_MAX = 200_000
"""Beyond so many remembered lines an old one may be logged again."""


class Account:
    """What a run did so far."""

    def __init__(
        self,
        mode: Mode,
        events: EventLog,
        progress: Callable[[Standing], None] | None,
    ) -> None:
        self.standing = Standing()
        self.digest = BatchDigest()
        self.files_taken = 0
        """Items that were claimed; a run that begins anew goes on counting."""
        self._mode = mode
        self._events = events
        self._progress = progress
        self._said: set[int] = set()
        self._waiting_files = 0
        self._waiting_bytes = 0
        self._left_files = 0
        self._left_bytes = 0
        self._cut_off: dict[Place | None, int] = {}
        """What the share failed with in this pass, by its stages, and how big it is."""
        self._last = ""
        self.begin_pass()

    def begin_pass(self) -> None:
        """Forget what was blocked and waiting; the pass will see it again."""
        standing = self.standing
        standing.blocked_files = standing.blocked_bytes = 0
        standing.elsewhere_files = standing.elsewhere_bytes = 0
        standing.set_aside_files -= self._left_files
        standing.set_aside_bytes -= self._left_bytes
        self._left_files = self._left_bytes = 0
        self._waiting_files = self._waiting_bytes = 0
        self._cut_off.clear()
        self._sum_up()

    def decided(self, item: Item, decision: Decision) -> None:
        """Count an item that is not taken now."""
        if decision.verdict is Verdict.BLOCKED:
            self.standing.blocked_files += 1
            self.standing.blocked_bytes += item.size
            self.say_once(
                Event.POLICY_BLOCK,
                item.direction,
                src=str(item.source),
                status="blocked",
                message=decision.reason,
            )
        elif decision.verdict is Verdict.SET_ASIDE:
            self.set_aside(item.size, moved=False)
        elif decision.verdict is Verdict.WAITING:
            self.wait(item.size)
        self._sum_up()

    def passed_over(self, entry: Entry) -> None:
        """Say once that a link is no item, or that a folder could not be listed."""
        event, message = Event.PATH_OUTSIDE_INBOX, "a link; links are not followed"
        if entry.kind is not Kind.LINK:
            event = Event.ENCODE_ERROR
            message = "it may not be listed, or lies too deep; what it holds waits"
            self.standing.exit_codes.add(Exit.UNFINISHED)
        is_new = self.say_once(
            event, src=str(entry.place), status="ignored", message=message
        )
        if is_new and entry.kind is not Kind.LINK:
            self.problem(f"{entry.place}: {message}")

    def say_changed(self, direction: Direction, source: Place) -> None:
        """Say once that an item was not what was admitted any more."""
        self.say_once(
            Event.CHANGED,
            direction,
            src=str(source),
            status="waiting",
            message="it changed since it was admitted; nothing of it is published",
        )

    def show_in_flight(self, files: int, size: int) -> None:
        """Show the progress, with so much that is with the workers."""
        self.standing.in_flight_files = files
        self.standing.in_flight_bytes = size
        self.show()

    def wait(self, size: int) -> None:
        """Count an item that stays where it is for now."""
        self._waiting_files += 1
        self._waiting_bytes += size
        self._sum_up()

    def claimed(self, *, won: bool) -> None:
        """Count a claim that was tried."""
        self.standing.claims_tried += 1
        self.standing.claims_lost += not won

    def elsewhere(self, size: int, *, files: int = 1) -> None:
        """Note an item that another node holds: not seen, as far as this run goes."""
        self.standing.elsewhere_files += files
        self.standing.elsewhere_bytes += size

    def delivered(self, record: Record, stage: Place | None = None) -> None:
        """Count an item that was published, from where it was staged."""
        standing = self.standing
        if record.direction is Direction.ENCODE:
            standing.encoded_files += 1
            standing.encoded_bytes += record.raw_bytes
        else:
            standing.decoded_files += 1
            standing.decoded_bytes += record.raw_bytes
        if self._mode is not Mode.RELAY or record.direction is Direction.DECODE:
            standing.delivered_files += 1
            standing.delivered_bytes += record.raw_bytes
            if stage in self._cut_off:
                # It waited for the share, and did not come to another pass.
                self._waiting_files -= 1
                self._waiting_bytes -= self._cut_off.pop(stage)
        if record.fate is Fate.DELIVERED:
            self.digest.add(record)
        encoded = record.direction is Direction.ENCODE
        self._last = f"delivered {record.target}"
        self._events.write(
            Event.ENCODE if encoded else Event.DECODE,
            src=str(record.source),
            dst=str(record.target),
            message=f"sha256:{record.raw_sha256}",
        )
        self._sum_up()

    def cut_off(self, tasks: Iterable[Task], recorded: Collection[Place]) -> None:
        """Count what the share failed with, but for what arrived.

        `recorded` are the stages of what was published before it failed.
        """
        for task in tasks:
            on_wire = self._mode is Mode.RELAY and task.direction is Direction.ENCODE
            if on_wire or task.stage not in recorded:
                self.wait(task.identity.size)
                self._cut_off[task.stage] = task.identity.size

    def set_aside(self, size: int, *, moved: bool) -> None:
        """Count an item given up; one that stays is seen again in each pass."""
        self.standing.set_aside_files += 1
        self.standing.set_aside_bytes += size
        if not moved:
            self._left_files += 1
            self._left_bytes += size
        self._sum_up()

    def word(self, seconds: float) -> Word:
        """Return what the run says of itself to others, so long after its begin."""
        standing = self.standing
        busy = standing.in_flight_files > 0
        return Word(
            doing="relaying" if busy else "waiting",
            waits_for="" if busy else self._waits_for(),
            claims=standing.in_flight_files,
            in_flight_bytes=standing.in_flight_bytes,
            delivered_files=standing.delivered_files,
            delivered_bytes=standing.delivered_bytes,
            files_per_second=round(standing.delivered_files / max(seconds, 1.0), 1),
            last=standing.problems[-1] if standing.problems else self._last,
        )

    def _waits_for(self) -> str:
        if self.standing.elsewhere_files:
            return "files that other nodes hold"
        return "files that are not ready" if self._waiting_files else "new files"

    def biased(self, count: int) -> None:
        """Note self-checks in which one file gave different bytes."""
        self.standing.bias_flags += count
        self.standing.exit_codes.add(Exit.INTEGRITY)
        self._events.write(
            Event.BIAS,
            status="error",
            message=f"{count} item(s) encoded twice gave different bytes",
        )

    def problem(self, text: str) -> None:
        """Keep the newest problems in view."""
        problems = self.standing.problems
        problems.append(text)
        del problems[:-PROBLEMS_MAX]

    def say_once(
        self, event: Event, *key: object, src: str, status: str, message: str
    ) -> bool:
        """Log what is the same at every scan, once a run; tell whether it was new."""
        mark = hash((event, src, message, *key))
        if mark in self._said:
            return False
        if len(self._said) >= SAID_MAX:
            self._said.clear()
        self._said.add(mark)
        self._events.write(event, src=src, status=status, message=message)
        return True

    def show(self) -> None:
        """Let whoever watches see the standing."""
        if self._progress is not None:
            self._progress(self.standing)

    def _sum_up(self) -> None:
        standing = self.standing
        standing.seen_files = (
            standing.delivered_files
            + standing.set_aside_files
            + standing.blocked_files
            + self._waiting_files
        )
        standing.seen_bytes = (
            standing.delivered_bytes
            + standing.set_aside_bytes
            + standing.blocked_bytes
            + self._waiting_bytes
        )
