"""Workers that die: tell items that kill them from a machine that does.

Each item that a worker died with is tried alone, and is a suspect once a second one
died with it. With each death goes a trial, a lot of noise in place of items, which asks
as much of a worker. Where one lives, workers can, and suspects are given up; where the
trial dies as well, and many others, the machine lacks something: memory, mostly.
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
"""After so many deaths, one after the other, a trial's among them, there is no hope."""


class Deaths:
    """How often each item was with a worker that died."""

    def __init__(self, share: Share, events: EventLog, dispatcher: Dispatcher) -> None:
        self._share = share
        self._events = events
        self._dispatcher = dispatcher
        self._of: dict[str, int] = {}
        self._in_a_row = 0
        self._is_trial_out = self._has_trial_died = False
        self._suspects: list[tuple[Task, Claim]] = []

    def came_back(self, flight: Flight) -> None:
        """Note that a worker lived."""
        self._in_a_row = 0
        self._has_trial_died = False
        if flight.lot.trial is not None:
            self._is_trial_out = False

    def died(self, flight: Flight) -> None:
        """Send each item that a worker died with alone, but for the suspects.

        What the worker had staged is gone.
        """
        lot = flight.lot
        self._in_a_row += 1
        self._events.write(Event.WORKER_DIED, status="error", message=_said(lot))
        for task in lot.tasks:
            self._share.remove(task.stage)
            if task.direction is Direction.ENCODE:
                self._share.remove(task.sidecar)
        if lot.trial is not None:
            self._is_trial_out, self._has_trial_died = False, True
        # Before the items, of which there may be many.
        self._try(lot.number, [task for task, _ in self._suspects] + [*lot.tasks])
        for task, claim in zip(lot.tasks, flight.claims, strict=True):
            key = state.key_of(task.direction, task.source)
            self._of[key] = self._of.get(key, 0) + 1
            if self._of[key] < DEATHS_MAX:
                self._dispatcher.send(Lot(lot.number, (task,)), (claim,))
            else:
                self._suspects.append((task, claim))

    def _try(self, number: int, tasks: list[Task]) -> None:
        """Have a worker do what the largest of these asks, if none is at that."""
        if tasks and not self._is_trial_out:
            self._is_trial_out = True
            largest = max(tasks, key=lambda task: task.identity.size)
            self._dispatcher.send(Lot(number, (), trial=largest), ())

    def given_up(self) -> Iterator[tuple[Task, Claim]]:
        """Give the suspects, as soon as a worker lived since."""
        while self._suspects and not self._in_a_row:
            yield self._suspects.pop(0)

    def spared(self) -> Iterator[tuple[Task, Claim]]:
        """Give the suspects of whom nobody will ever know."""
        while self._suspects:
            yield self._suspects.pop(0)

    def require_life(self) -> None:
        """Raise `NoWorkers` if workers die whatever they are given."""
        if self._has_trial_died and self._in_a_row >= IN_A_ROW_MAX:
            raise NoWorkers(
                f"{self._in_a_row} worker processes died, one after the other, also "
                "with nothing but noise to pack; items are as they were; see the "
                "system's log for what killed them (memory?), mend that and run again"
            )


def _said(lot: Lot) -> str:
    if lot.trial is not None:
        return "a worker died with nothing but noise to pack"
    return (
        f"a worker died with {len(lot.tasks)} item(s); each is tried again on its own"
    )
