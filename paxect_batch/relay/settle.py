"""Carry pledges from staged to retired, step by step, as `rules.steps` decides.

Pledges of one intent go together: each kind of step is taken for all that are due
before the next kind, so that syncs and ledger writes are shared. Recovery after a crash
is the same code, with scenes looked up on the share instead of known. What several
settlers of one intent may do to each other is in `rules.steps`.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable

from paxect_batch.model.about import About
from paxect_batch.model.errors import RunOver, ShareError
from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Intent, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.commits import Steps
from paxect_batch.relay.leavings import forget_left, note_left
from paxect_batch.relay.matters import Matter, look_at_stage, place_of
from paxect_batch.relay.retire import Retirer
from paxect_batch.relay.targets import (
    BARRED,
    UNNAMEABLE,
    look_at_sidecar,
    look_at_target,
    require_barred,
)
from paxect_batch.rules.steps import (
    SourceState,
    Step,
    TargetState,
    next_step,
    owns_sidecar,
)
from paxect_batch.seams import Share

_ORDER = tuple(Step)
_GONE = (errno.ENOENT, errno.ESTALE)
_STEPS_MAX = 50
"""No pledge takes a quarter as many, whatever others do meanwhile."""

Recorder = Callable[[list[Matter]], Steps[None]]


class Settler:
    """Settles intents of one node, or of a dead one."""

    def __init__(
        self,
        share: Share,
        intent: Intent,
        record: Recorder,
        *,
        by: state.Owner,
        stands: Callable[[], bool] = lambda: True,
    ) -> None:
        """`stands` tells whether the lease of who settles is still its own."""
        self._by = by
        self._stands = stands
        self._share = share
        self._intent = intent
        self._record = record
        self._retirer = Retirer(
            share, by, intent.on_done, ready_marker=intent.ready_marker
        )
        self._took_back_in: set[Place] = set()

    def settle(self, matters: list[Matter]) -> Steps[None]:
        """Take every pledge to its end; then remove the intent.

        Raises `ShareError` if the share lets no step succeed and none fail.
        """
        pending = list(matters)
        while pending:
            due = [(next_step(matter.scene), matter) for matter in pending]
            step = min((step for step, _ in due), key=_ORDER.index)
            taken = [matter for each, matter in due if each is step]
            yield from self._take(step, taken)
            for matter in taken:
                matter.steps += 1
                if matter.steps > _STEPS_MAX:
                    raise _contradiction(matter.pledge)
            pending = [matter for matter in pending if matter.ended is None]
        # A source that comes back after a power loss would be delivered again, if
        # the intent that knows better were gone; a sidecar would keep its name taken.
        yield from self._sync_those_there(self._retirer.changed | self._took_back_in)
        place = place_of(self._intent)
        self._share.remove(place)
        withdrawn = [matter for matter in matters if matter.scene.withdrawn]
        if withdrawn:
            # Were the intent back after a power loss, and these not, they would pass
            # for published.
            yield from self._sync_those_there({place.folder})
        for matter in withdrawn:
            self._share.remove(state.withdrawn_place(matter.pledge.stage))

    def _sync_those_there(self, folders: set[Place]) -> Steps[None]:
        if not folders:
            return
        met = yield lambda: self._share.sync_folders(sorted(folders))
        for error in met:
            if error is not None and error.errno not in (errno.ENOENT, *BARRED):
                raise error

    def _take(self, step: Step, matters: list[Matter]) -> Steps[None]:
        if step is Step.RECORD:
            # Whoever published them: it may have died, or failed, before this.
            yield from self._sync_those_there(_targets_of(matters))
            yield from self._record(matters)
            for matter in matters:
                matter.know(recorded=True)
        elif step is Step.RETIRE:
            self._require_lease()
            met = yield from self._retirer.retire([each.pledge for each in matters])
            for matter, outcome in zip(matters, met, strict=True):
                if isinstance(outcome, OSError):
                    matter.left = outcome
                    note_left(self._share, matter.pledge, outcome, by=self._by)
                is_gone = outcome is True
                matter.know(source=SourceState.GONE if is_gone else SourceState.CHANGED)
        elif step in (Step.COLLIDE, Step.DROP):
            self._share.each(lambda matter: self._withdraw(step, matter), matters)
        elif step in (Step.PUBLISH_SIDECAR, Step.PUBLISH):
            targets = sorted(_targets_of(matters))
            yield lambda: self._share.prepare_folders(targets)
            if self._share.lists_late:
                # Beside the coordinator, which has a server to wait for.
                yield lambda: self._publish_all(step, matters)
            else:
                self._publish_all(step, matters)
        else:
            act = {
                Step.LOOK_AT_TARGET: self._look_at_target,
                Step.ADOPT: self._adopt,
                Step.FINISH: self._finish,
            }[step]
            self._share.each(act, matters)

    def _publish_all(self, step: Step, matters: list[Matter]) -> None:
        self._require_lease()
        publish = self._publish if step is Step.PUBLISH else self._publish_sidecar
        self._share.each(publish, matters)

    def _require_lease(self) -> None:
        # Others settle this as well once it is gone: to go on would do no harm, but
        # whoever was asleep stops when it can know.
        if not self._stands():
            raise run_over(self._by)

    def _look_at_target(self, matter: Matter) -> None:
        pledge = matter.pledge
        matter.know(target=look_at_target(self._share, pledge))
        if pledge.sidecar is not None:
            matter.know(sidecar_target=look_at_sidecar(self._share, pledge))

    def _publish_sidecar(self, matter: Matter) -> None:
        pledge = matter.pledge
        assert pledge.sidecar is not None
        assert pledge.sidecar_stage is not None
        try:
            keeps_meta = pledge.meta is not None and self._is_free(pledge)
        except OSError as error:
            self._barred(matter, error)
            return
        if keeps_meta:
            # Another's container has a paper of its own.
            assert pledge.meta is not None
            state.save_paper(self._share, state.meta_place(pledge.target), pledge.meta)
        try:
            self._rename(pledge.sidecar_stage, pledge.sidecar)
        except FileExistsError:
            there = look_at_sidecar(self._share, pledge)
            matter.know(sidecar_target=there)
            if there is TargetState.EQUAL:
                self._share.remove(pledge.sidecar_stage)
                matter.know(sidecar_staged=False)
            elif look_at_target(self._share, pledge) is TargetState.DIFFERENT:
                # It is not the sidecar that is in the way, but its container.
                matter.know(target=TargetState.DIFFERENT)
        except FileNotFoundError:
            there = look_at_sidecar(self._share, pledge)
            matter.know(sidecar_staged=False, sidecar_target=there)
        except OSError as error:
            self._barred(matter, error)
        else:
            matter.know(sidecar_staged=False, sidecar_target=TargetState.EQUAL)

    def _publish(self, matter: Matter) -> None:
        pledge = matter.pledge
        try:
            self._rename(pledge.stage, pledge.target)
        except FileExistsError:
            matter.know(target=TargetState.UNKNOWN)
        except FileNotFoundError:
            # Somebody else settled this, by publishing or by withdrawing.
            matter.know(**self._fate(pledge))
        except OSError as error:
            self._barred(matter, error)
        else:
            matter.know(staged=False, target=TargetState.EQUAL)

    def _is_free(self, pledge: Pledge) -> bool:
        """Tell whether no other container has the name, or is about to have it."""
        if look_at_sidecar(self._share, pledge) is TargetState.DIFFERENT:
            return False
        try:
            return self._share.look(pledge.target) is None
        except OSError as error:
            if error.errno not in UNNAMEABLE:
                raise
            return True

    def _barred(self, matter: Matter, error: OSError) -> None:
        require_barred(self._share, matter.pledge, error)
        matter.barred = error
        matter.know(target=TargetState.DIFFERENT)

    def _fate(self, pledge: Pledge) -> dict[str, bool]:
        """Look, in the order that matters, what became of a staged file."""
        return look_at_stage(self._share, self._intent, pledge)

    def _rename(self, stage: Place, target: Place) -> None:
        try:
            self._rename_once(stage, target)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # An SMB client says so once after it was cut off from the server.
            self._share.freshen(Place(target.root, ""))
            self._rename_once(stage, target)

    def _rename_once(self, stage: Place, target: Place) -> None:
        try:
            self._share.rename_new(stage, target)
        except FileNotFoundError:
            # Either what was staged is gone, or the folder is missing.
            if self._share.look(stage) is None:
                raise
            try:
                self._share.make_folder(target.folder)
            except FileExistsError as error:
                # Not to be taken for the target's own name.
                raise NotADirectoryError(errno.ENOTDIR, error.strerror) from error
            self._share.rename_new(stage, target)

    def _adopt(self, matter: Matter) -> None:
        matter.adopted = True
        if matter.pledge.direction is Direction.ENCODE:
            forget_left(self._share, Direction.DECODE, matter.pledge.target)
        # Whoever wrote it may not have waited for the disk.
        with (
            contextlib.suppress(FileNotFoundError),
            self._share.open_source(matter.pledge.target) as stream,
        ):
            self._share.sync(stream)
        self._share.remove(matter.pledge.stage)
        matter.know(staged=False)

    def _withdraw(self, step: Step, matter: Matter) -> None:
        stage = matter.pledge.stage
        try:
            self._share.rename_new(stage, state.withdrawn_place(stage))
        except (FileNotFoundError, FileExistsError):
            matter.know(**self._fate(matter.pledge))
        else:
            matter.withdrew = step
            matter.know(staged=False, withdrawn=True)

    def _take_back_sidecar(self, pledge: Pledge) -> None:
        if pledge.sidecar is not None and owns_sidecar(
            sidecar_target=look_at_sidecar(self._share, pledge),
            target=look_at_target(self._share, pledge),
        ):
            # Beside somebody else's container it would call that one corrupt.
            self._share.remove(pledge.sidecar)
            self._took_back_in.add(pledge.sidecar.folder)

    def _finish(self, matter: Matter) -> None:
        pledge, scene = matter.pledge, matter.scene
        if scene.staged and scene.recorded:
            self._share.remove(pledge.stage)
        if pledge.sidecar_stage is not None and scene.sidecar_staged:
            self._share.remove(pledge.sidecar_stage)
        if scene.withdrawn:
            self._take_back_sidecar(pledge)
        if scene.recorded:
            matter.ended = Step.FINISH
        else:
            # Whoever withdrew it deals with its source; if nobody did, it was
            # finished elsewhere.
            matter.ended = matter.withdrew or Step.DROP


def _targets_of(matters: list[Matter]) -> set[Place]:
    """Return the folders that these are published in."""
    return {matter.pledge.target.folder for matter in matters}


def write_intent(share: Share, intent: Intent) -> None:
    """Write down durably what is about to be published.

    Raises `RunOver` if the run's folder for intents is gone, which is never made anew:
    what was staged is being swept, and to promise it would make it pass for published.
    """
    owner = state.Owner(intent.node, intent.run)
    place = place_of(intent)
    folder = state.stage_folder(share, owner, Root.STATE)
    new = folder.child(f"intent-{intent.number:08d}.part")
    share.remove(new)
    with About(new), share.create(new) as stream:
        state.write_all(stream, state.intent_bytes(intent))
        share.sync(stream)
    try:
        share.rename_new(new, place)
        share.sync_folder(place.folder)
    except OSError as error:
        if error.errno not in _GONE or share.look(place.folder) is not None:
            raise
        raise run_over(owner) from error


def run_over(owner: state.Owner) -> RunOver:
    """Return the error for a run that others took for dead."""
    return RunOver(
        f"another run took run {owner.run!r} of node {owner.node!r} for dead and "
        "finishes what it began; items are as they were; the node begins anew"
    )


def _contradiction(pledge: Pledge) -> ShareError:
    return ShareError(
        f"the share says of {pledge.stage} again and again that it is there, and that "
        "it is not; items are as they were; mend the share and run again",
        errno=errno.ESTALE,
    )
