"""Commit what a worker staged: promise, publish, record, retire.

The durable steps are shared by all items of a lot. Items that cannot be published come
back as what stopped them; nothing is lost either way.
"""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.records import Record
from paxect_batch.model.transfer import Intent, Meta, Outcome, Pledge, Task
from paxect_batch.relay import state
from paxect_batch.relay.admit import Done
from paxect_batch.relay.commits import Steps
from paxect_batch.relay.leavings import FOLDER as LEFT_FOLDER
from paxect_batch.relay.matters import Matter, fresh_matters
from paxect_batch.relay.promised import Promised
from paxect_batch.relay.record import Recorder
from paxect_batch.relay.settle import Settler, run_over, write_intent
from paxect_batch.relay.trust import Trust
from paxect_batch.rules.naming import sidecar_name, too_long
from paxect_batch.seams import Claim, Ledger, Share


class Committer:
    """Commits the lots of one run."""

    def __init__(
        self,
        share: Share,
        ledger: Ledger,
        recorder: Recorder,
        *,
        node: str,
        run: str,
        stamp: Callable[[], str],
        stands: Callable[[], bool],
        delivered: Callable[[Record, Place], None],
        done: Done,
        trust: Trust,
    ) -> None:
        """`stands` asks the share whether the run's lease is still its own.

        `delivered` is told of each record once it is durable: the run may end before
        the source is retired, and nobody else would count what it recorded.
        `done` learns then of sources that stay, and `trust` of what was made.
        """
        self._done = done
        self._trust = trust
        self._stands = stands
        self._delivered = delivered
        self._share = share
        self._ledger = ledger
        self._recorder = recorder
        self._node = node
        self._run = run
        self._stamp = stamp
        self._number = 0
        self.promised = Promised(share)
        """What other runs promised and have not settled."""
        self.recorded: set[Place] = set()
        """Stages of what was recorded by commits that have not come to their end."""
        self.unsettled: list[Claim] = []
        """Claims on items that the run failed with when it committed them."""

    def begin(self) -> None:
        """Make the folders that the run's promises need; once, before it stages."""
        owner = state.Owner(self._node, self._run)
        # Asked for before it is there, a client would go on not to see it.
        self._share.make_folder(LEFT_FOLDER)
        self._share.make_folder(state.intent_folder(owner))

    def commit(
        self,
        policy: Policy,
        staged: list[tuple[Task, Outcome]],
        target_of: Callable[[Task], Place],
    ) -> Steps[list[Matter]]:
        """Carry staged items to their end; return how each one ended."""
        pledges = tuple(
            self._pledge(policy, task, outcome, target_of(task))
            for task, outcome in staged
        )
        intent = Intent(
            node=self._node,
            run=self._run,
            number=self._number,
            on_done=policy.on_done,
            ledger_offset=self._ledger.offset(),
            pledges=pledges,
            ready_marker=policy.ready_marker,
        )
        self._number += 1
        by = state.Owner(self._node, self._run)
        if not self._stands():
            raise run_over(by)
        yield lambda: self._promise(intent)
        matters = fresh_matters(intent)
        settler = Settler(self._share, intent, self.record, by=by, stands=self._stands)
        yield from settler.settle(matters)
        self.recorded.difference_update(pledge.stage for pledge in pledges)
        return matters

    def _promise(self, intent: Intent) -> None:
        """Write the intent, once all that it names is durably staged."""
        folders = sorted({pledge.stage.folder for pledge in intent.pledges})
        for error in self._share.sync_folders(folders):
            if error is not None:
                raise error
        write_intent(self._share, intent)

    def record(self, matters: list[Matter]) -> Steps[None]:
        """Write down durably that these were published, and count them."""
        at = self._stamp()
        records = [
            self._recorder.delivered(matter.pledge, adopted=matter.adopted, at=at)
            for matter in matters
        ]
        yield lambda: self._ledger.append(records)
        for record, matter in zip(records, matters, strict=True):
            self._delivered(record, matter.pledge.stage)
            self._trust.heard(record)
            self.recorded.add(matter.pledge.stage)
            if not matter.scene.retire:
                self._done.add(record.direction, record.source, record.identity)

    def _pledge(
        self, policy: Policy, task: Task, outcome: Outcome, target: Place
    ) -> Pledge:
        encodes = task.direction is Direction.ENCODE
        sidecar = target.beside(sidecar_name(target.name)) if encodes else None
        return Pledge(
            direction=task.direction,
            source=task.source,
            identity=task.identity,
            stage=task.stage,
            target=target,
            sidecar_stage=task.sidecar if encodes else None,
            sidecar=sidecar,
            raw_bytes=outcome.raw_bytes,
            raw_sha256=outcome.raw_sha256,
            container_bytes=outcome.container_bytes,
            container_sha256=outcome.container_sha256,
            meta=_meta(policy, task, outcome, target) if encodes else None,
        )


def _meta(policy: Policy, task: Task, outcome: Outcome, target: Place) -> Meta | None:
    name = task.source.name
    aliased = too_long(name, policy.naming)
    if not (policy.carry_times or policy.carry_mode or aliased):
        return None
    return Meta(
        container_sha256=outcome.container_sha256,
        mtime_ns=task.identity.mtime_ns if policy.carry_times else None,
        mode=task.mode if policy.carry_mode else None,
        raw_name=name if aliased else "",
        container=target,
    )
