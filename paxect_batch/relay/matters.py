"""Pledges on their way, and what the share shows of each."""

from __future__ import annotations

import errno
from collections.abc import Collection

import msgspec

from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone
from paxect_batch.model.transfer import Intent, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.targets import look_at_sidecar
from paxect_batch.rules.steps import Scene, SourceState, Step, TargetState
from paxect_batch.seams import Share
from paxect_batch.work.sources import look_at_source

Delivery = tuple[Direction, Place, Identity]
"""What tells a delivered item: by its path alone another content would pass for it."""


class Matter:
    """One pledge on its way, with what is known of it."""

    __slots__ = (
        "adopted",
        "barred",
        "ended",
        "left",
        "pledge",
        "scene",
        "steps",
        "withdrew",
    )

    def __init__(self, pledge: Pledge, scene: Scene) -> None:
        self.pledge = pledge
        self.scene = scene
        self.adopted = False
        self.barred: OSError | None = None
        """What nothing can be published for, in its target's folder."""
        self.left: OSError | None = None
        """Why the source could not be taken away, though it arrived."""
        self.steps = 0
        self.ended: Step | None = None
        """FINISH, COLLIDE or DROP, once it came to that."""
        self.withdrew: Step | None = None
        """COLLIDE or DROP, if it was this settler that withdrew it."""

    def know(self, **facts: object) -> None:
        """Note what changed in the scene."""
        self.scene = msgspec.structs.replace(self.scene, **facts)


def place_of(intent: Intent) -> Place:
    """Return where an intent lies."""
    return state.intent_place(state.Owner(intent.node, intent.run), intent.number)


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
    share: Share, intent: Intent, recorded: Collection[Delivery]
) -> list[Matter]:
    """Return the matters of an intent that someone left, as the share shows them.

    What is `recorded` must have been read before.
    """
    return [
        Matter(pledge, _found_scene(share, intent, pledge, recorded))
        for pledge in intent.pledges
    ]


def _found_scene(
    share: Share, intent: Intent, pledge: Pledge, recorded: Collection[Delivery]
) -> Scene:
    # In the order that `rules.steps` asks for; arguments are evaluated in theirs.
    source = _look_at_source(share, pledge)
    sidecar_target = TargetState.UNKNOWN
    if pledge.sidecar is not None:
        sidecar_target = look_at_sidecar(share, pledge)
    staged = pledge.sidecar_stage
    sidecar_staged = staged is not None and share.look(staged) is not None
    return Scene(
        sidecar_staged=sidecar_staged,
        target=TargetState.UNKNOWN,
        sidecar_target=sidecar_target,
        recorded=(pledge.direction, pledge.source, pledge.identity) in recorded,
        source=source,
        retire=intent.on_done != OnDone.KEEP,
        **look_at_stage(share, intent, pledge),
    )


def _look_at_source(share: Share, pledge: Pledge) -> SourceState:
    try:
        found = look_at_source(share, pledge.source)
    except PermissionError:
        return SourceState.UNKNOWN
    if found is None:
        return SourceState.GONE
    same = found.identity == pledge.identity
    return SourceState.SAME if same else SourceState.CHANGED


def look_at_stage(share: Share, intent: Intent, pledge: Pledge) -> dict[str, bool]:
    """Look whether a file is staged, withdrawn, and promised, in this order.

    Raises `ShareError` if it cannot be told, because the folder is missing that any of
    it would lie in: so it is on a root that is not mounted. Taken for published, what
    is staged there would be lost.
    """
    staged = share.look(pledge.stage) is not None
    withdrawn = share.look(state.withdrawn_place(pledge.stage)) is not None
    knowable = staged or withdrawn or share.look(pledge.stage.folder) is not None
    pledged = share.look(place_of(intent)) is not None
    if pledged and not knowable:
        raise ShareError(
            f"{pledge.stage.folder} is not there, though an earlier run staged "
            f"{pledge.source} in it; items are as they were; mount what belongs on "
            f"the {pledge.stage.root} and run again",
            errno=errno.ENOENT,
        )
    return {"staged": staged, "withdrawn": withdrawn, "pledged": pledged}
