"""Go on with containers that were just published: claim them to be decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place
from paxect_batch.model.run import Verdict
from paxect_batch.model.transfer import Task
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.dispatch import Flight
from paxect_batch.relay.gather import Gatherer
from paxect_batch.relay.matters import Matter
from paxect_batch.relay.taking import Taken, give_back


class Onward:
    """Goes on with what arrives on the wire, by what holds since a look."""

    def __init__(
        self,
        admitter: Admitter,
        gatherer: Gatherer,
        account: Account,
        *,
        rests: Callable[[], bool],
    ) -> None:
        """`rests` tells whether nothing is to be begun now."""
        self._admitter = admitter
        self._gatherer = gatherer
        self._account = account
        self._rests = rests

    def taken(
        self, matters: Sequence[Matter], flight: Flight, left: dict[Place, Task]
    ) -> list[Taken]:
        """Return those that are this node's now.

        The claim by which each was made goes on with it. What counts somewhere, or is
        returned, is taken out of `left`.
        """
        wanted: list[Taken] = []
        pledges = [each.pledge for each in matters]
        stages = {
            each.target: each.stage
            for each in pledges
            if each.direction is Direction.ENCODE
        }
        try:
            for item, decision in self._admitter.decide_own(list(stages)):
                stage = stages[item.source]
                if decision.verdict is Verdict.ADMITTED:
                    if self._rests():
                        self._account.wait(item.size)
                    elif self._gatherer.may_begin(item, decision):
                        wanted.append(self._gatherer.taker.wanted(item))
                        wanted[-1].claim = flight.hand_over(stage)
                        continue
                elif decision.verdict is not Verdict.DONE:
                    self._account.decided(item, decision)
                del left[stage]
        except BaseException:
            give_back(wanted)
            raise
        taken = self._gatherer.taker.take(wanted)
        for stage in stages.values():
            left.pop(stage, None)
        return taken
