"""Keep the workers busy, and bound what is in flight."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future

from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.rules.plan import counted_bytes
from paxect_batch.seams import Claim, Executor, Share, WorkerDied

LOTS_PER_WORKER = 2
"""One that is worked on, and one that waits so that no worker does."""


FILES_MAX = 1024
"""Items in flight: each has a claim, and each claim may take a file descriptor."""


class Flight:
    """A lot that is out, with the claims on its items."""

    __slots__ = ("_claims", "lot", "outcomes", "since", "size")

    def __init__(self, lot: Lot, claims: tuple[Claim, ...]) -> None:
        self.lot = lot
        self.size = lot.size
        stages = (task.stage for task in lot.tasks)
        self._claims = dict(zip(stages, claims, strict=True))
        self.outcomes: tuple[Outcome, ...] | None = None
        """None if its worker died."""
        self.since = 0.0
        """When it went out, by the clock of who sent it; 0 where nobody said."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims that were not handed over, in the order of the items."""
        return tuple(self._claims.values())

    def hand_over(self, stage: Place) -> Claim:
        """Return the claim on what is staged there, which is the caller's now."""
        return self._claims.pop(stage)

    def lost(self, share: Share) -> set[Place]:
        """Return the stages of what another node has by now.

        Who slept in the very call that gives a claim back takes that of another, if
        its own was taken over meanwhile.
        """
        lost: set[Place] = set()

        def look(stage: Place) -> None:
            if not self._claims[stage].stands():
                lost.add(stage)

        share.each(look, list(self._claims))
        return lost


class Dispatcher:
    """Hands lots to workers and takes what comes back."""

    def __init__(self, executor: Executor, *, workers: int, bytes_max: int) -> None:
        self._executor = executor
        self.lots_full = self.lots_max = workers * LOTS_PER_WORKER
        """How many lots may be out at full pace, and at the pace that holds."""
        self._files_max = FILES_MAX
        self._bytes_max = self._giant_bytes = bytes_max
        self._flights: dict[Future[tuple[Outcome, ...]], Flight] = {}
        self._giants = 0
        self.files = 0
        self.bytes = 0

    @property
    def lots(self) -> int:
        """How many lots are out."""
        return len(self._flights)

    @property
    def giants(self) -> Collection[int]:
        """How big those lots are that are larger than all that may be out together."""
        if not self._giants:
            return ()
        return [size for size in self._sizes() if size > self._giant_bytes]

    def _sizes(self) -> list[int]:
        return [flight.size for flight in self._flights.values()]

    def hold_to(self, *, lots: int, files: int, bytes_max: int) -> None:
        """Have no more out than that; what is out already comes back in its time."""
        self.lots_max, self._files_max, self._bytes_max = lots, files, bytes_max

    def is_full(self) -> bool:
        """Tell whether something must come back before more may go out."""
        return bool(self._flights) and (
            len(self._flights) >= self.lots_max
            or self.files >= self._files_max
            or sum(map(counted_bytes, self._sizes())) >= self._bytes_max
        )

    def is_empty(self) -> bool:
        """Tell whether nothing is out."""
        return not self._flights

    def send(self, lot: Lot, claims: tuple[Claim, ...], *, since: float = 0.0) -> None:
        """Have a worker do the lot."""
        flight = Flight(lot, claims)
        flight.since = since
        self._flights[self._executor.submit(lot)] = flight
        self._giants += flight.size > self._giant_bytes
        self.files += len(lot.tasks)
        self.bytes += flight.size

    @property
    def futures(self) -> Collection[Future[tuple[Outcome, ...]]]:
        """What there is to wait for."""
        return self._flights.keys()

    def collect(self) -> list[Flight]:
        """Give what came back."""
        done = [each for each in self._flights if each.done()]
        # What ends the run leaves all of them out, for `abandon`.
        outcomes = [_outcomes_of(future) for future in done]
        flights = []
        for future, outcome in zip(done, outcomes, strict=True):
            flight = self._flights.pop(future)
            flight.outcomes = outcome
            self._giants -= flight.size > self._giant_bytes
            self.files -= len(flight.lot.tasks)
            self.bytes -= flight.size
            flights.append(flight)
        return sorted(flights, key=lambda flight: flight.lot.number)

    def abandon(self) -> list[Flight]:
        """End the workers; give what will not come back."""
        self._executor.stop()
        flights = list(self._flights.values())
        self._flights.clear()
        self._giants = self.files = self.bytes = 0
        return flights


def _outcomes_of(future: Future[tuple[Outcome, ...]]) -> tuple[Outcome, ...] | None:
    try:
        return future.result()
    except WorkerDied:
        return None
