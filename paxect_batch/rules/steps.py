"""The next step: given what lies on the share for a pledge, what is to be done now.

The same function drives a transfer and recovers one after a crash, for any node. A step
may be taken twice, by two nodes at once, or an hour late; the scene is then looked at
anew and the next one follows.

**One rename decides.** A staged file leaves its name in one of two ways: to the target,
and it is published; to `STAGE.withdrawn`, and it never will be. The share lets one of
the two happen, whoever tries, so a staged file that is gone and not withdrawn was
published, or adopted, even if a consumer has taken it since. That holds as long as the
intent stands: an intent is written once, never changed, and removed before what was
withdrawn is. Where the intent is gone, all of it came to its end.

**Looking.** A scene is not one instant, so the order in which its parts are looked at
matters; `tests/rules` checks all interleavings of two nodes with this one:

1. the records, because what they say stays true, and then the source, the target, the
   sidecar's target: only steps that look again, or refuse, are built on these;
2. what is staged;
3. what is withdrawn: before 2 it could not be told from what is withdrawn in between;
4. the intent: before 3 it could not be told from what is finished in between.

**Steps**, each with its effects in this order, every one durable before the next:

========================  ==========================================================
`LOOK_AT_TARGET`          read what lies at the target, and at the sidecar's, and
                          compare; then look at all the rest again
`PUBLISH_SIDECAR`         rename the staged sidecar, never replacing
`PUBLISH`                 rename the staged file, never replacing; `RECORD` follows
`ADOPT`                   drop the staged file; `RECORD` follows
`COLLIDE`                 rename the staged file to its withdrawn name; set the
                          source aside if it was this node that did
`DROP`                    the same, without setting aside
`RECORD`                  append the record, unless a record of the item is there
`RETIRE`                  remove or archive exactly the source that was read
`FINISH`                  drop what is still staged; if the pledge was withdrawn, look
                          at what was published of it and take back the sidecar that
                          is ours (see `owns_sidecar`); remove the intent; drop what
                          was withdrawn
========================  ==========================================================

A rename that finds its name taken, or its staged file gone, has done nothing: look
again. What a sleeper can still do when it wakes is bounded: it may write a record for
the second time, and take back a sidecar that by now tells of the same bytes published
by another pledge, whose container then has none.
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
    UNKNOWN = "unknown"
    """It may not be looked at: nothing is published for it, and nothing forgotten."""


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
    withdrawn: bool = False
    """Whether the staged file has its withdrawn name, looked at after `staged`."""
    pledged: bool = True
    """Whether the intent still stands, looked at after `withdrawn`."""


def next_step(scene: Scene) -> Step:
    """Return the one thing to do now."""
    if scene.recorded:
        stays = scene.source in {SourceState.SAME, SourceState.UNKNOWN}
        delivered_and_left = scene.retire and stays
        return Step.RETIRE if delivered_and_left else Step.FINISH
    if scene.withdrawn or not scene.pledged:
        # Without the intent, that a stage is gone means nothing: it is finished.
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


def owns_sidecar(*, target: TargetState, sidecar_target: TargetState) -> bool:
    """Tell whether the sidecar of a withdrawn pledge lies there and tells of nothing.

    Left beside somebody else's container it would call that corrupt, and left alone it
    would stand in the way of the next content of the source. Both must be looked at
    after the staged sidecar is gone, for until then any node may publish it.
    """
    return sidecar_target is TargetState.EQUAL and target in {
        TargetState.ABSENT,
        TargetState.DIFFERENT,
    }
