"""Every interleaving of nodes, crashes, consumers and meddlers, by `share_model`."""

from __future__ import annotations

import pytest
from exploration import explore
from share_model import (
    CHANGED,
    FOREIGN,
    GONE,
    NOTHING,
    SAME,
    Node,
    Share,
    World,
    operate,
)

from paxect_batch.rules.steps import Scene, SourceState, Step, next_step

OPERATIONS_MAX = 60
"""How many operations settle any pledge, at the most."""

WORLDS = {
    "one node": World(items=(0,), work=(0,), meddling=3),
    "one node without sidecars": World(
        items=(0,), work=(0,), sidecars=False, meddling=4
    ),
    "one node that keeps sources": World(
        items=(0,), work=(0,), retire=False, meddling=2
    ),
    "two nodes on one pledge": World(items=(0,), work=(0, 0), meddling=1),
    "two nodes on one pledge without sidecars": World(
        items=(0,), work=(0, 0), sidecars=False, meddling=2
    ),
    "two nodes on one pledge that keep sources": World(
        items=(0,), work=(0, 0), sidecars=False, retire=False, meddling=1
    ),
    "two pledges of one item": World(items=(0, 0), work=(0, 1)),
    "two pledges of one item without sidecars": World(
        items=(0, 0), work=(0, 1), sidecars=False, meddling=1
    ),
    "two items of one target": World(items=(0, 1), work=(0, 1)),
    "two items of one target without sidecars": World(
        items=(0, 1), work=(0, 1), sidecars=False, meddling=1
    ),
    "two nodes on one pledge, renames replace": World(
        items=(0,), work=(0, 0), no_replace=False
    ),
    "two pledges of one item, renames replace": World(
        items=(0, 0), work=(0, 1), sidecars=False, no_replace=False
    ),
}


class Violated(Exception):
    """A state was reached that must not be."""


def check(world: World, share: Share) -> None:
    """Raise `Violated` unless all that must be true of any state is."""
    _require(not share.overwritten, "something was published over other bytes")
    for item, source in enumerate(share.source):
        recorded, aside = share.recorded[item], share.aside[item]
        retired = source == GONE and not share.touched[item]
        _require(not retired or recorded or aside, "retired before it was recorded")
        _require(
            share.touched[item]
            or source == SAME
            or aside
            or share.taken[item]
            or share.target == item + 1,
            "the only copy was lost",
        )
        _require(not recorded or share.arrived[item], "recorded but never delivered")
        _require(
            share.publishes[item] <= world.items.count(item),
            "a pledge was published twice",
        )
    for pledge, stands in enumerate(share.pledged):
        _require_settles(world, share, pledge, stands=stands)


_settled: dict[tuple[World, Share, int], None] = {}


def _require_settles(world: World, share: Share, pledge: int, *, stands: bool) -> None:
    """Have one node alone settle a pledge; it must come to an end, and stay there."""
    alone = world._replace(work=(pledge,))
    bare = share._replace(nodes=(Node(),), meddling=0)
    key = (alone, bare, pledge)
    if key in _settled:
        return
    _settled[key] = None
    after = _run_alone(alone, bare)
    item = world.items[pledge]
    _require(not after.pledged[pledge], "the pledge stands for ever")
    _require(not after.staged[pledge], "a staged file was left")
    _require(not after.sidecar_staged[pledge], "a staged sidecar was left")
    _require(not after.withdrawn[pledge], "a withdrawn file was left")
    others = [
        each
        for each, of in enumerate(world.items)
        if of == item and after.pledged[each]
    ]
    tells_of_nothing = not after.arrived[item] and not others
    _require(
        after.sidecar != item + 1 or not tells_of_nothing,
        "a sidecar that tells of nothing was left",
    )
    if stands and not share.withdrawn[pledge]:
        # The source of a withdrawn one lies where it was, to be taken anew.
        settled = (
            after.recorded[item] or after.aside[item] or after.source[item] != SAME
        )
        _require(settled, "the item was forgotten")
    if after.recorded[item] and world.retire:
        _require(after.source[item] != SAME, "a delivered source was left")
    again = _run_alone(alone, after._replace(nodes=(Node(),)))
    _require(again == after, "settling again changed something")


def _run_alone(world: World, share: Share) -> Share:
    for _ in range(OPERATIONS_MAX):
        if share.nodes[0].at == "done":
            return share
        share = operate(world, share, 0)
    raise Violated("a pledge is never settled")


def _require(held: bool, complaint: str) -> None:
    if not held:
        raise Violated(complaint)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_steps_in_every_interleaving_keep_what_must_stay_true(name: str) -> None:
    _settled.clear()
    states = explore(WORLDS[name], check)
    assert states > 100


def test_steps_of_one_pledge_whoever_takes_them_deliver_once() -> None:
    def check_once(world: World, share: Share) -> None:
        assert share.publishes[0] <= 1
        done = all(node.at == "done" for node in share.nodes)
        assert not done or (share.recorded[0] and share.publishes[0] == 1)

    explore(World(items=(0,), work=(0, 0)), check_once)


def test_steps_of_two_pledges_without_a_consumer_deliver_once() -> None:
    """The second node finds equal bytes, unless a consumer was as quick as both."""

    def check_once(world: World, share: Share) -> None:
        assert share.publishes[0] <= 1 or share.taken[0]

    explore(World(items=(0, 0), work=(0, 1)), check_once)


def test_steps_of_two_pledges_with_a_quick_consumer_deliver_equal_bytes_twice() -> None:
    """The bound that the design states, met: twice, and never different bytes."""
    most = 0

    def count(world: World, share: Share) -> None:
        nonlocal most
        most = max(most, *share.publishes)

    explore(World(items=(0, 0), work=(0, 1), sidecars=False), count)
    assert most == 2


def test_steps_of_two_items_for_one_target_set_the_second_aside() -> None:
    ends = set()

    def collect(world: World, share: Share) -> None:
        if share.target != NOTHING and all(node.at == "done" for node in share.nodes):
            ends.add((share.recorded, share.aside, any(share.taken)))

    explore(World(items=(0, 1), work=(0, 1), sidecars=False), collect)
    assert ((True, False), (False, True), False) in ends
    assert ((False, True), (True, False), False) in ends
    assert not any(
        recorded == aside for recorded, aside, _ in ends if not all(recorded)
    )


def test_steps_after_the_source_changed_leave_no_sidecar_of_ours() -> None:
    """It would stand in the way of the container of the new content."""

    def check_sidecar(world: World, share: Share) -> None:
        if share.source[0] != CHANGED or FOREIGN in {share.target, share.sidecar}:
            return
        bare = share._replace(nodes=(Node(),), meddling=0)
        after = _run_alone(world, bare)
        assert after.sidecar == NOTHING or after.target == 1

    explore(World(items=(0,), work=(0,), meddling=2), check_sidecar)


def test_steps_on_a_share_that_replaces_need_one_claim_for_one_target() -> None:
    """Why `claim_key` is made of the target: without it, this is what happens."""
    with pytest.raises(Violated, match="over other bytes"):
        explore(
            World(items=(0, 1), work=(0, 1), sidecars=False, no_replace=False), check
        )


def ignoring_intents(scene: Scene) -> Step:
    return Step.RECORD if not scene.staged and not scene.recorded else next_step(scene)


def retiring_early(scene: Scene) -> Step:
    step = next_step(scene)
    return (
        Step.RETIRE
        if step is Step.PUBLISH and scene.source is SourceState.SAME
        else step
    )


def adopting_anything(scene: Scene) -> Step:
    step = next_step(scene)
    return Step.ADOPT if step is Step.COLLIDE else step


def colliding_for_ever(scene: Scene) -> Step:
    step = next_step(scene)
    return Step.LOOK_AT_TARGET if step is Step.COLLIDE else step


@pytest.mark.parametrize(
    ("world", "complaint"),
    [
        (
            World(items=(0,), work=(0, 0), meddling=1, choose=ignoring_intents),
            "never delivered|settling again",
        ),
        (World(items=(0,), work=(0,), choose=retiring_early), "before it was recorded"),
        (
            World(items=(0,), work=(0,), meddling=1, choose=adopting_anything),
            "never delivered",
        ),
        (
            World(items=(0,), work=(0,), meddling=1, choose=colliding_for_ever),
            "never settled",
        ),
        (
            World(
                items=(0,),
                work=(0, 0),
                meddling=1,
                looks=("pledge", "staged", "withdrawn"),
            ),
            "never delivered",
        ),
        (
            World(
                items=(0,),
                work=(0, 0),
                meddling=1,
                looks=("withdrawn", "staged", "pledge"),
            ),
            "never delivered",
        ),
        (
            World(items=(0,), work=(0, 0), meddling=1, marks=False),
            "never delivered|forgotten|settling again",
        ),
        (
            World(
                items=(0,),
                work=(0, 0),
                meddling=1,
                finish=("drop_withdrawn", "unpledge"),
            ),
            "never delivered",
        ),
        (
            World(items=(0,), work=(0, 0), meddling=1, looks_again=False),
            "never delivered",
        ),
    ],
)
def test_model_of_the_share_when_a_rule_is_broken_finds_it(
    world: World, complaint: str
) -> None:
    _settled.clear()
    with pytest.raises(Violated, match=complaint):
        explore(world, check)


def test_steps_when_the_source_is_gone_publish_nothing() -> None:
    share = World(items=(0,), work=(0,)).start()
    share = share._replace(source=(GONE,), touched=(True,))
    after = _run_alone(World(items=(0,), work=(0,)), share)
    assert after.publishes == (0,)
    assert after.target == after.sidecar == NOTHING
