"""What becomes of items that do not go through: they wait, or have failed."""

from __future__ import annotations

import math
import os

from paxect_batch.model.errors import Exit
from paxect_batch.model.items import Direction, Facts, Item, Kind
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import Decision, Verdict
from paxect_batch.model.transfer import Outcome, Pledge, Result, Task
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.deaths import DEATHS_MAX
from paxect_batch.relay.leavings import Leavings
from paxect_batch.relay.matters import Matter
from paxect_batch.relay.targets import FORBIDDEN, UNNAMEABLE
from paxect_batch.relay.trouble import COLLISION, Trouble
from paxect_batch.rules.retry import NO_ROOM
from paxect_batch.rules.steps import Step, TargetState
from paxect_batch.seams import Share
from paxect_batch.work.sources import look_at_source

UNREACHABLE = "unreachable"
UNNAMED = "unnameable"
_WAIT_SECONDS_MIN = 0.1
"""How long what is not ready is left alone, though no policy asks for it."""
_DETAILS = {
    "unremovable": "it is not this user's to take away, so it would arrive again; "
    "it was not sent, and stays where it is"
}


class Endings:
    """For the items of one pass."""

    def __init__(
        self,
        share: Share,
        policy: Policy,
        *,
        admitter: Admitter,
        account: Account,
        trouble: Trouble,
        leavings: Leavings,
    ) -> None:
        self._share = share
        self._policy = policy
        self._admitter = admitter
        self._account = account
        self._trouble = trouble
        self._leavings = leavings
        self.wait_seconds = math.inf
        """When the first of the waiting items may be ready."""
        self.have_failed = False
        """Whether an item failed."""

    def may_be_ready_in(self, seconds: float) -> None:
        """Note an item that waits for so long."""
        self.wait_seconds = min(self.wait_seconds, max(seconds, _WAIT_SECONDS_MIN))

    def wait_to_settle(self, size: int) -> None:
        """Count an item that must be left alone for a while."""
        self._account.wait(size)
        self.may_be_ready_in(self._policy.settle_seconds)

    def changed(self, direction: Direction, source: Place, size: int) -> None:
        """Count an item that is not what was admitted any more."""
        self.wait_to_settle(size)
        self._account.say_changed(direction, source)

    def drop_stage(self, task: Task) -> None:
        """Drop what was staged of an item that is another node's by now."""
        self._share.remove(task.stage)
        if task.direction is Direction.ENCODE:
            self._share.remove(task.sidecar)

    def ended(self, matter: Matter) -> bool:
        """Note how a matter ended; tell whether what was staged of it arrived."""
        pledge = matter.pledge
        if matter.ended is Step.COLLIDE:
            self.collided(matter)
            return False
        if matter.ended is Step.DROP:
            self.changed(pledge.direction, pledge.source, pledge.identity.size)
            return False
        if matter.left is not None:
            self._leavings.delivered(pledge, matter.left)
        self.arrived(pledge.direction, pledge.source)
        return True

    def arrived(self, direction: Direction, source: Place) -> None:
        """Forget what failed with an item that arrived after all."""
        key = state.key_of(direction, source)
        if self._admitter.has_trouble(key):
            self._share.remove(state.attempts_place(key))

    def is_staged(self, task: Task, outcome: Outcome) -> bool:
        """Tell whether what a worker did is to be published."""
        if outcome.result is not Result.STAGED:
            return False
        reason = self._admitter.reason_once_read(task, outcome)
        if reason:
            self._share.remove(task.stage)
            facts = Facts(Kind.FILE, task.identity, 0)
            self._account.decided(
                Item(task.direction, task.source, facts),
                Decision(Verdict.BLOCKED, reason),
            )
        return not reason

    def is_gone(self, task: Task) -> bool:
        """Tell whether the source is there no more, as far as a look tells."""
        return look_at_source(self._share, task.source) is None

    def not_staged(self, task: Task, outcome: Outcome) -> None:
        """Note what a worker did not stage."""
        if outcome.result is Result.GONE:
            self._not_to_be_found(task, outcome)
            return
        if outcome.result is Result.CHANGED:
            self.changed(task.direction, task.source, task.identity.size)
            return
        if outcome.result is Result.FAILED:
            why = self._trouble.no_room(task, outcome)
            if why:
                self.failed(task, code=NO_ROOM, detail=why)
                return
            self._trouble.check_share(task, outcome)
        self.failed(
            task,
            code=outcome.code,
            detail=outcome.detail,
            exit_code=outcome.exit_code or Exit.SHARE,
        )

    def _not_to_be_found(self, task: Task, outcome: Outcome) -> None:
        found = look_at_source(self._share, task.source)
        if found is None:
            return
        if found.identity != task.identity:
            self.changed(task.direction, task.source, task.identity.size)
            return
        # It would be in no sum, and nobody would hear that it does not travel.
        said = os.strerror(outcome.errno)
        self.failed(
            task, code="unreadable", detail=f"it is there, but reading it gave {said}"
        )

    def collided(self, matter: Matter) -> None:
        """Note what cannot be published: a name is taken, or its folder barred."""
        code, detail = _why_collided(matter)
        self.failed(matter.pledge, code=code, detail=detail)

    def killed_workers(self, task: Task) -> None:
        """Give up an item that took its workers with it."""
        self.failed(
            task,
            code="worker-killed",
            detail=f"it killed its worker {DEATHS_MAX} times",
            final=True,
        )

    def failed(
        self,
        item: Item | Task | Pledge,
        *,
        code: str,
        detail: str = "",
        exit_code: int = Exit.UNFINISHED,
        final: bool = False,
    ) -> None:
        """Note a failure, after which it is tried again or set aside."""
        self.have_failed = True
        self._trouble.failed(
            self._admitter,
            self._policy,
            direction=item.direction,
            source=item.source,
            identity=item.identity,
            code=code,
            detail=detail or _DETAILS.get(code, ""),
            exit_code=exit_code,
            final=final,
        )


def _why_collided(matter: Matter) -> tuple[str, str]:
    """Return the code and the words for what stood in the way."""
    pledge, barred = matter.pledge, matter.barred
    if barred is not None and barred.errno in UNNAMEABLE:
        return UNNAMED, (
            f"the file system of {pledge.target.folder} refuses the name of "
            f"{pledge.target}: {barred.strerror}"
        )
    if barred is not None:
        code = UNREACHABLE if barred.errno in FORBIDDEN else COLLISION
        return code, (
            f"{pledge.target.folder} lets nothing be published in it: {barred.strerror}"
        )
    if matter.scene.target is TargetState.ABSENT:
        return COLLISION, (
            f"{pledge.sidecar} tells of a container that is not there, and stays; "
            "remove it, unless that container is still to come"
        )
    return (
        COLLISION,
        f"{pledge.target} is taken by other bytes, or what may not be read, which stay",
    )
