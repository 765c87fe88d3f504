"""Workers that die: tell items that kill them from a machine that does.

Each item that a worker died with is tried alone. One that has a second worker die is
given up, but not before another worker brought something back: where all of them die,
it is for want of memory, or of something else that the machine lacks.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.errors import NoWorkers
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Lot, Task
from paxect_batch.relay import state
from paxect_batch.relay.dispatch import Dispatcher, Flight
from paxect_batch.seams import Claim, EventLog, Share

DEATHS_MAX = 2
IN_A_ROW_MAX = 16
"""So many deaths, one after the other, are not the doing of items."""


class Deaths:
    """How often each item was with a worker that died."""

    def __init__(self, share: Share, events: EventLog, dispatcher: Dispatcher) -> None:
        self._share = share
        self._events = events
        self._dispatcher = dispatcher
        self._of: dict[str, int] = {}
        self._in_a_row = 0
        self._suspects: list[tuple[Task, Claim]] = []

    def came_back(self) -> None:
        """Note that a worker lived."""
        self._in_a_row = 0

    def died(self, flight: Flight) -> None:
        """Send each item that a worker died with alone, but for those to be given up.

        What the worker had staged is gone.
        """
        self._in_a_row += 1
        self._events.write(
            Event.WORKER_DIED,
            status="error",
            message=f"a worker died with {len(flight.lot.tasks)} item(s); each is "
            "tried again on its own",
        )
        for task, claim in zip(flight.lot.tasks, flight.claims, strict=True):
            self._share.remove(task.stage)
            if task.direction is Direction.ENCODE:
                self._share.remove(task.sidecar)
            key = state.key_of(task.direction, task.source)
            self._of[key] = self._of.get(key, 0) + 1
            if self._of[key] < DEATHS_MAX:
                self._dispatcher.send(Lot(flight.lot.number, (task,)), (claim,))
            else:
                self._suspects.append((task, claim))

    def given_up(self, *, at_last: bool = False) -> Iterator[tuple[Task, Claim]]:
        """Give the items to give up: if a worker lived since, or when all is done."""
        while self._suspects and (at_last or not self._in_a_row):
            yield self._suspects.pop(0)

    def require_life(self) -> None:
        """Raise `NoWorkers` if workers die whatever they are given."""
        if self._in_a_row >= IN_A_ROW_MAX:
            raise NoWorkers(
                f"{self._in_a_row} worker processes died, one after the other, and "
                "none brought anything back; items are as they were; see the "
                "system's log for what killed them (memory?), mend that and run again"
            )
