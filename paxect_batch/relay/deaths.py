"""Workers that die: try each of their items alone, and give up one that kills again."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction
from paxect_batch.model.transfer import Lot, Task
from paxect_batch.relay import state
from paxect_batch.relay.dispatch import Dispatcher, Flight
from paxect_batch.seams import Claim, EventLog, Share

DEATHS_MAX = 2


class Deaths:
    """How often each item was with a worker that died."""

    def __init__(self, share: Share, events: EventLog, dispatcher: Dispatcher) -> None:
        self._share = share
        self._events = events
        self._dispatcher = dispatcher
        self._of: dict[str, int] = {}

    def given_up(self, flight: Flight) -> Iterator[tuple[Task, Claim]]:
        """Send each item that a worker died with alone; give those that are given up.

        What the worker had staged is gone.
        """
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
                yield task, claim
