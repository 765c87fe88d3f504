"""The next step: given what lies on the share for a pledge, what is to be done now.

The same function drives a transfer and recovers one after a crash, for any node. A step
may be taken twice, by two nodes at once, or never end; the scene is then looked at anew
and the next one follows.

**Looking.** A scene is not one instant, so the order in which its parts are looked at
matters; `tests/rules` checks all interleavings of two nodes with this one:

1. the source, the target, the sidecar's target;
2. what is staged;
3. the pledge and the records.

That a staged file is gone means "published" only because withdrawing a pledge comes
before dropping what is staged, and the pledge is looked at after the stage. For that a
withdrawal must stay: two nodes that rewrite one intent of several pledges must not
bring back what the other withdrew.

**Steps**, each with its effects in this order, every one durable before the next:

========================  ==========================================================
`LOOK_AT_TARGET`          read what lies at the target, and at the sidecar's, and
                          compare; then look at all the rest again
`PUBLISH_SIDECAR`         rename the staged sidecar, never replacing
`PUBLISH`                 rename the staged file, never replacing; `RECORD` follows
`ADOPT`                   drop the staged file; `RECORD` follows
`COLLIDE`                 take back the sidecar if it is ours (see `owns_sidecar`),
                          withdraw the pledge, drop the staged files; set the source
                          aside if it was this node that dropped the staged file
`DROP`                    the same, without setting aside
`RECORD`                  append the record, unless a record of the item is there
`RETIRE`                  remove or archive exactly the source that was read
`FINISH`                  drop what is still staged, then take the pledge away
========================  ==========================================================

A rename that finds its name taken, or its staged file gone, has done nothing: look
again.
"""

from __future__ import annotations

import enum

import msgspec


class TargetState(enum.StrEnum):
    """What lies where something is to be published."""

    ABSENT = "absent"
    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """Something that was not read yet."""


class SourceState(enum.StrEnum):
    """How the source compares with what was read."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"


class Step(enum.StrEnum):
    """What is to be done next; the module says what each one is."""

    LOOK_AT_TARGET = "look_at_target"
    PUBLISH_SIDECAR = "publish_sidecar"
    PUBLISH = "publish"
    ADOPT = "adopt"
    COLLIDE = "collide"
    DROP = "drop"
    RECORD = "record"
    RETIRE = "retire"
    FINISH = "finish"


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What lies on the share for one pledge."""

    staged: bool
    """Whether the staged file is there still."""
    sidecar_staged: bool
    target: TargetState
    sidecar_target: TargetState
    recorded: bool
    """Whether a record tells that this item was delivered, whoever wrote it."""
    source: SourceState
    retire: bool
    """Whether the source goes once the item is delivered."""
    pledged: bool = True
    """Whether the pledge still stands, looked at after `staged`."""


def next_step(scene: Scene) -> Step:
    """Return the one thing to do now."""
    if scene.recorded:
        delivered_and_left = scene.retire and scene.source is SourceState.SAME
        return Step.RETIRE if delivered_and_left else Step.FINISH
    if not scene.pledged:
        # Withdrawn or finished by another node: that a stage is gone means nothing.
        return Step.FINISH
    if not scene.staged:
        return Step.RECORD
    if scene.source is not SourceState.SAME:
        return Step.DROP
    return _towards_publishing(scene)


def _towards_publishing(scene: Scene) -> Step:
    match scene.target:
        case TargetState.UNKNOWN:
            return Step.LOOK_AT_TARGET
        case TargetState.EQUAL:
            return Step.ADOPT
        case TargetState.DIFFERENT:
            return Step.COLLIDE
    return _sidecar_first(scene) if scene.sidecar_staged else Step.PUBLISH


def _sidecar_first(scene: Scene) -> Step:
    match scene.sidecar_target:
        case TargetState.UNKNOWN:
            return Step.LOOK_AT_TARGET
        case TargetState.DIFFERENT:
            return Step.COLLIDE
        case TargetState.EQUAL:
            # A sidecar tells no more than a digest: whoever wrote it, it is right.
            return Step.PUBLISH
    return Step.PUBLISH_SIDECAR


def owns_sidecar(scene: Scene) -> bool:
    """Tell whether the published sidecar came from this pledge and tells of nothing.

    Left beside somebody else's container it would call that corrupt, and left alone it
    would stand in the way of the next content of the source. What is `UNKNOWN` must be
    looked at before.
    """
    return (
        not scene.sidecar_staged
        and scene.sidecar_target is TargetState.EQUAL
        and scene.target in {TargetState.ABSENT, TargetState.DIFFERENT}
    )
