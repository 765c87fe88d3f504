"""Each scene there is, against the rules in words."""

from __future__ import annotations

import itertools

import pytest

from paxect_batch.rules.steps import (
    Scene,
    SourceState,
    Step,
    TargetState,
    next_step,
    owns_sidecar,
)

SCENES = [
    Scene(
        staged=staged,
        sidecar_staged=sidecar_staged,
        target=target,
        sidecar_target=sidecar_target,
        recorded=recorded,
        source=source,
        retire=retire,
        withdrawn=withdrawn,
        pledged=pledged,
    )
    for staged, sidecar_staged, target, sidecar_target, recorded, source, retire, withdrawn, pledged in itertools.product(
        (True, False),
        (True, False),
        TargetState,
        TargetState,
        (True, False),
        SourceState,
        (True, False),
        (True, False),
        (True, False),
    )
]

FRESH = Scene(
    staged=True,
    sidecar_staged=True,
    target=TargetState.ABSENT,
    sidecar_target=TargetState.ABSENT,
    recorded=False,
    source=SourceState.SAME,
    retire=True,
)


def changed(**fields: object) -> Scene:
    kept = {name: getattr(FRESH, name) for name in FRESH.__struct_fields__}
    return Scene(**{**kept, **fields})


def test_next_step_of_every_scene_is_one_that_the_scene_allows() -> None:
    for scene in SCENES:
        step = next_step(scene)
        source_same = scene.source is SourceState.SAME
        standing = not (scene.recorded or scene.withdrawn) and scene.pledged
        allowed = {
            Step.RETIRE: scene.recorded
            and (source_same or scene.source is SourceState.UNKNOWN)
            and scene.retire,
            Step.FINISH: not standing,
            Step.RECORD: standing and not scene.staged,
            Step.DROP: standing and scene.staged and not source_same,
            Step.LOOK_AT_TARGET: TargetState.UNKNOWN
            in {scene.target, scene.sidecar_target},
            Step.ADOPT: scene.target is TargetState.EQUAL,
            Step.COLLIDE: TargetState.DIFFERENT in {scene.target, scene.sidecar_target},
            Step.PUBLISH: scene.target is TargetState.ABSENT,
            Step.PUBLISH_SIDECAR: scene.target
            is scene.sidecar_target
            is TargetState.ABSENT,
        }
        assert allowed[step], (scene, step)
        if step in {Step.PUBLISH_SIDECAR, Step.PUBLISH, Step.ADOPT, Step.COLLIDE}:
            assert standing
            assert scene.staged
            assert source_same


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ({}, Step.PUBLISH_SIDECAR),
        ({"sidecar_target": TargetState.UNKNOWN}, Step.LOOK_AT_TARGET),
        ({"sidecar_target": TargetState.DIFFERENT}, Step.COLLIDE),
        ({"sidecar_target": TargetState.EQUAL}, Step.PUBLISH),
        ({"sidecar_staged": False}, Step.PUBLISH),
        (
            {"sidecar_staged": False, "sidecar_target": TargetState.DIFFERENT},
            Step.PUBLISH,
        ),
        ({"target": TargetState.UNKNOWN}, Step.LOOK_AT_TARGET),
        ({"target": TargetState.EQUAL}, Step.ADOPT),
        ({"target": TargetState.DIFFERENT}, Step.COLLIDE),
        ({"source": SourceState.CHANGED}, Step.DROP),
        ({"source": SourceState.GONE, "target": TargetState.EQUAL}, Step.DROP),
        ({"staged": False}, Step.RECORD),
        ({"staged": False, "source": SourceState.GONE}, Step.RECORD),
        ({"staged": False, "pledged": False}, Step.FINISH),
        ({"pledged": False}, Step.FINISH),
        ({"withdrawn": True, "pledged": False}, Step.FINISH),
        ({"withdrawn": True, "recorded": True}, Step.RETIRE),
        ({"withdrawn": True}, Step.FINISH),
        ({"withdrawn": True, "staged": False}, Step.FINISH),
        ({"recorded": True}, Step.RETIRE),
        ({"recorded": True, "pledged": False}, Step.RETIRE),
        ({"recorded": True, "retire": False}, Step.FINISH),
        ({"recorded": True, "source": SourceState.CHANGED}, Step.FINISH),
        ({"recorded": True, "source": SourceState.GONE}, Step.FINISH),
    ],
)
def test_next_step_by_rule(fields: dict[str, object], step: Step) -> None:
    assert next_step(changed(**fields)) is step


@pytest.mark.parametrize(
    ("sidecar", "target", "owned"),
    [
        (TargetState.EQUAL, TargetState.ABSENT, True),
        (TargetState.EQUAL, TargetState.DIFFERENT, True),
        (TargetState.EQUAL, TargetState.EQUAL, False),
        (TargetState.EQUAL, TargetState.UNKNOWN, False),
        (TargetState.DIFFERENT, TargetState.ABSENT, False),
        (TargetState.UNKNOWN, TargetState.ABSENT, False),
        (TargetState.ABSENT, TargetState.ABSENT, False),
    ],
)
def test_owns_sidecar_only_when_it_tells_of_nothing(
    sidecar: TargetState, target: TargetState, owned: bool
) -> None:
    assert owns_sidecar(target=target, sidecar_target=sidecar) is owned
