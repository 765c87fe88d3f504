"""Carry pledges from staged to retired, step by step, as `rules.steps` decides.

Pledges of one intent go together: each kind of step is taken for all that are due
before the next kind, so that syncs and ledger writes are shared. Recovery after a crash
is the same code, with scenes looked up on the share instead of known.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections.abc import Callable, Iterable

import msgspec

from paxect_batch.model.items import Direction, Kind
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone
from paxect_batch.model.transfer import Intent, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.retire import Retirer
from paxect_batch.rules.steps import (
    Scene,
    SourceState,
    Step,
    TargetState,
    next_step,
    owns_sidecar,
)
from paxect_batch.seams import Share

_CHUNK_BYTES = 1 << 20
_ORDER = tuple(Step)


class Matter:
    """One pledge on its way, with what is known of it."""

    __slots__ = ("adopted", "ended", "pledge", "scene")

    def __init__(self, pledge: Pledge, scene: Scene) -> None:
        self.pledge = pledge
        self.scene = scene
        self.adopted = False
        self.ended: Step | None = None
        """FINISH, COLLIDE or DROP, once it came to that."""

    def know(self, **facts: object) -> None:
        """Note what changed in the scene."""
        self.scene = msgspec.structs.replace(self.scene, **facts)


Recorder = Callable[[list[Matter]], None]


class Settler:
    """Settles intents of one node, or of a dead one."""

    def __init__(self, share: Share, intent: Intent, record: Recorder) -> None:
        self._share = share
        self._intent = intent
        self._record = record
        self._retirer = Retirer(share, intent.node, OnDone(intent.on_done))
        self._published_in: set[Place] = set()
        self._retired_in: set[Place] = set()

    def settle(self, matters: list[Matter]) -> None:
        """Take every pledge to its end; then remove the intent."""
        pending = list(matters)
        while pending:
            due = [(next_step(matter.scene), matter) for matter in pending]
            step = min((step for step, _ in due), key=_ORDER.index)
            self._take(step, [matter for each, matter in due if each is step])
            pending = [matter for matter in pending if matter.ended is None]
        # A source that comes back after a power loss would be delivered again, if
        # the intent that knows better were gone.
        for folder in sorted(self._retired_in):
            self._share.sync_folder(folder)
        self._share.remove(
            state.intent_place(self._intent.node, self._intent.run, self._intent.number)
        )

    def _take(self, step: Step, matters: list[Matter]) -> None:
        if step is Step.RECORD:
            for folder in sorted(self._published_in):
                self._share.sync_folder(folder)
            self._published_in.clear()
            self._record(matters)
            for matter in matters:
                matter.know(recorded=True)
        elif step in (Step.COLLIDE, Step.DROP):
            self._withdraw(step, matters)
        else:
            act = {
                Step.LOOK_AT_TARGET: self._look_at_target,
                Step.PUBLISH_SIDECAR: self._publish_sidecar,
                Step.PUBLISH: self._publish,
                Step.ADOPT: self._adopt,
                Step.RETIRE: self._retire,
                Step.FINISH: self._finish,
            }[step]
            for matter in matters:
                act(matter)

    def _look_at_target(self, matter: Matter) -> None:
        pledge = matter.pledge
        matter.know(target=look_at_target(self._share, pledge))
        if pledge.sidecar is not None:
            matter.know(sidecar_target=look_at_sidecar(self._share, pledge))

    def _publish_sidecar(self, matter: Matter) -> None:
        pledge = matter.pledge
        assert pledge.sidecar is not None
        assert pledge.sidecar_stage is not None
        if pledge.meta is not None:
            state.save_paper(self._share, state.meta_place(pledge.target), pledge.meta)
        try:
            self._rename(pledge.sidecar_stage, pledge.sidecar)
        except FileExistsError:
            there = look_at_sidecar(self._share, pledge)
            matter.know(sidecar_target=there)
            if there is TargetState.EQUAL:
                self._share.remove(pledge.sidecar_stage)
                matter.know(sidecar_staged=False)
        except FileNotFoundError:
            there = look_at_sidecar(self._share, pledge)
            matter.know(sidecar_staged=False, sidecar_target=there)
        else:
            matter.know(sidecar_staged=False, sidecar_target=TargetState.EQUAL)

    def _publish(self, matter: Matter) -> None:
        pledge = matter.pledge
        try:
            self._rename(pledge.stage, pledge.target)
        except FileExistsError:
            matter.know(target=TargetState.UNKNOWN)
        except FileNotFoundError:
            # Somebody else settled this, by publishing or by withdrawing: which of the
            # two, only the intent tells.
            pledged = self._is_pledged(pledge)
            matter.know(staged=False, pledged=pledged)
        else:
            matter.know(staged=False, target=TargetState.EQUAL)

    def _is_pledged(self, pledge: Pledge) -> bool:
        intent = self._intent
        place = state.intent_place(intent.node, intent.run, intent.number)
        found = state.load_paper(self._share, place, Intent)
        return found is not None and any(
            each.stage == pledge.stage for each in found.pledges
        )

    def _rename(self, stage: Place, target: Place) -> None:
        self._published_in.add(target.folder)
        try:
            self._share.rename_new(stage, target)
        except FileNotFoundError:
            # Either what was staged is gone, or the folder is missing.
            if self._share.look(stage) is None:
                raise
            self._share.make_folder(target.folder)
            self._share.rename_new(stage, target)

    def _adopt(self, matter: Matter) -> None:
        matter.adopted = True
        self._share.remove(matter.pledge.stage)
        self._published_in.add(matter.pledge.target.folder)
        matter.know(staged=False)

    def _retire(self, matter: Matter) -> None:
        gone = self._retirer.retire(matter.pledge)
        self._retired_in.add(matter.pledge.source.folder)
        matter.know(source=SourceState.GONE if gone else SourceState.CHANGED)

    def _finish(self, matter: Matter) -> None:
        if matter.pledge.sidecar_stage is not None:
            self._share.remove(matter.pledge.sidecar_stage)
        matter.ended = Step.FINISH

    def _withdraw(self, step: Step, matters: list[Matter]) -> None:
        for matter in matters:
            if owns_sidecar(matter.scene) and matter.pledge.sidecar is not None:
                # Beside somebody else's container it would call that one corrupt.
                self._share.remove(matter.pledge.sidecar)
        # First the promise, then what it was about: a staged file that is gone means
        # that it was published.
        withdrawn = {id(matter.pledge) for matter in matters}
        self._intent = msgspec.structs.replace(
            self._intent,
            pledges=tuple(p for p in self._intent.pledges if id(p) not in withdrawn),
        )
        write_intent(self._share, self._intent)
        for matter in matters:
            pledge = matter.pledge
            dropped = self._share.remove(pledge.stage)
            if pledge.sidecar_stage is not None:
                self._share.remove(pledge.sidecar_stage)
            # A stage that was gone was published by somebody else: no reason to set
            # its source aside.
            matter.ended = step if dropped else Step.DROP


def write_intent(share: Share, intent: Intent) -> None:
    """Write down durably what is about to be published."""
    place = state.intent_place(intent.node, intent.run, intent.number)
    state.save_paper(share, place, intent)


def fresh_matters(intent: Intent) -> list[Matter]:
    """Return the matters of an intent whose items were staged this moment."""
    return [
        Matter(
            pledge,
            Scene(
                staged=True,
                sidecar_staged=pledge.sidecar_stage is not None,
                target=TargetState.ABSENT,
                sidecar_target=TargetState.ABSENT,
                recorded=False,
                source=SourceState.SAME,
                retire=intent.on_done != OnDone.KEEP,
            ),
        )
        for pledge in intent.pledges
    ]


def found_matters(
    share: Share, intent: Intent, recorded: Iterable[tuple[Direction, Place]]
) -> list[Matter]:
    """Return the matters of an intent that someone left, as the share shows them."""
    known = set(recorded)
    matters = []
    for pledge in intent.pledges:
        aside = state.aside_place(share, intent.node, pledge.source, pledge.stage)
        source = share.look(pledge.source)
        if share.look(aside) is not None:
            source_state = SourceState.SAME  # and retiring it was begun
        elif source is None:
            source_state = SourceState.GONE
        elif source.identity == pledge.identity:
            source_state = SourceState.SAME
        else:
            source_state = SourceState.CHANGED
        staged_sidecar = pledge.sidecar_stage
        target = sidecar_target = TargetState.UNKNOWN
        if source_state is not SourceState.SAME:
            # Nothing will be published; what was begun is to be taken back.
            target = look_at_target(share, pledge)
        if pledge.sidecar is not None:
            sidecar_target = look_at_sidecar(share, pledge)
        matters.append(
            Matter(
                pledge,
                Scene(
                    staged=share.look(pledge.stage) is not None,
                    sidecar_staged=staged_sidecar is not None
                    and share.look(staged_sidecar) is not None,
                    target=target,
                    sidecar_target=sidecar_target,
                    recorded=(pledge.direction, pledge.source) in known,
                    source=source_state,
                    retire=intent.on_done != OnDone.KEEP,
                ),
            )
        )
    return matters


def look_at_target(share: Share, pledge: Pledge) -> TargetState:
    """Tell whether the target's name is free, or taken by equal bytes, or by others."""
    facts = share.look(pledge.target)
    if facts is None:
        return TargetState.ABSENT
    if facts.kind is not Kind.FILE or facts.identity.size != pledge.target_bytes:
        return TargetState.DIFFERENT
    digest = hashlib.sha256()
    try:
        with share.open_source(pledge.target) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return TargetState.ABSENT
        raise
    equal = digest.hexdigest() == pledge.target_sha256
    return TargetState.EQUAL if equal else TargetState.DIFFERENT


def look_at_sidecar(share: Share, pledge: Pledge) -> TargetState:
    """Tell the same of the sidecar."""
    assert pledge.sidecar is not None
    data = None
    with contextlib.suppress(OSError):
        data = share.read(pledge.sidecar, 4096)
    if data is None:
        return TargetState.ABSENT
    words = data.split(None, 1)
    equal = bool(words) and words[0].lower() == pledge.container_sha256.encode()
    return TargetState.EQUAL if equal else TargetState.DIFFERENT
