"""An abstract share with nodes that carry out steps on it.

Each look and each effect is one indivisible operation; `exploration` says what happens
between them. It knows nothing of the rules but what `next_step` and `owns_sidecar`
return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from paxect_batch.rules.steps import (
    Scene,
    SourceState,
    Step,
    TargetState,
    next_step,
    owns_sidecar,
)

# As plain text, because the hash of an enum takes a call, and states are hashed often.
SAME, CHANGED, GONE = (
    SourceState.SAME.value,
    SourceState.CHANGED.value,
    SourceState.GONE.value,
)
ABSENT, EQUAL, DIFFERENT, UNKNOWN = (state.value for state in TargetState)
NOTHING, FOREIGN = 0, -1

Choose = Callable[[Scene], Step]
Flags = tuple[bool, ...]


class Node(NamedTuple):
    """Where a node is: the next operation, and what it remembers."""

    at: str = "records"
    saw: tuple[object, ...] = ()
    looked: tuple[str, str] | None = None
    rest: tuple[str, ...] = ()
    dropped: bool = False
    owns: bool = False


class Share(NamedTuple):
    """All that lies on the share, some history to judge it by, and the nodes."""

    source: tuple[str, ...]
    target: int
    sidecar: int
    staged: Flags
    sidecar_staged: Flags
    withdrawn: Flags
    pledged: Flags
    recorded: Flags
    aside: Flags
    nodes: tuple[Node, ...]
    meddling: int
    # History, by item.
    touched: Flags
    """Whether its producer replaced or removed it."""
    arrived: Flags
    """Whether its bytes lay at the target at any time."""
    taken: Flags
    """Whether a consumer has its bytes."""
    publishes: tuple[int, ...]
    overwritten: bool = False
    """Whether publishing replaced other bytes."""


class World(NamedTuple):
    """What is explored: pledges, who works at them, and what the share can do."""

    items: tuple[int, ...]
    """For each pledge, its item; items have different bytes and one target."""
    work: tuple[int, ...]
    """For each node, the pledge it works at."""
    sidecars: bool = True
    retire: bool = True
    meddling: int = 0
    crashes: bool = True
    no_replace: bool = True
    """Whether a rename can refuse to replace; otherwise it is a look and a rename."""
    choose: Choose = next_step
    looks: tuple[str, ...] = ("staged", "withdrawn", "pledge")
    """In which order these three are looked at; any other is wrong."""
    marks: bool = True
    """Whether withdrawing is a rename, as it must be, or removes the staged file."""
    finish: tuple[str, ...] = ("unpledge", "drop_withdrawn")
    """In which order a pledge is finished; the other one is wrong."""
    looks_again: bool = True
    """Whether all is looked at again once a stage is gone at its rename, as it must."""

    def start(self) -> Share:
        items, pledges = len(set(self.items)), len(self.items)
        return Share(
            source=(SAME,) * items,
            target=NOTHING,
            sidecar=NOTHING,
            staged=(True,) * pledges,
            sidecar_staged=(self.sidecars,) * pledges,
            withdrawn=(False,) * pledges,
            pledged=(True,) * pledges,
            recorded=(False,) * items,
            aside=(False,) * items,
            nodes=(Node(),) * len(self.work),
            meddling=self.meddling,
            touched=(False,) * items,
            arrived=(False,) * items,
            taken=(False,) * items,
            publishes=(0,) * items,
        )


def operate(world: World, share: Share, number: int) -> Share:
    """Return the share after the node's next operation."""
    node = share.nodes[number]
    pledge = world.work[number]
    item = world.items[pledge]
    if node.at in _EFFECTS:
        return _EFFECTS[node.at](world, share, number, pledge, item)
    return _observe(world, share, number, pledge, item)


def _observe(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    node = share.nodes[number]
    looked = node.looked or (UNKNOWN, UNKNOWN)
    what: object = {
        "records": share.recorded[item],
        "source": share.source[item],
        "target": _glance(_state(share.target, item), looked[0]),
        "sidecar": _glance(_state(share.sidecar, item), looked[1]),
        "staged": (share.staged[pledge], share.sidecar_staged[pledge]),
        "withdrawn": share.withdrawn[pledge],
        "pledge": share.pledged[pledge],
    }[node.at]
    order = (*_FIRST_LOOKS, *world.looks)
    following = order.index(node.at) + 1
    if following < len(order):
        return _saw(share, number, order[following], what)
    saw = dict(zip(order, (*node.saw, what), strict=True))
    return _decide(world, share, number, saw)


_FIRST_LOOKS = ("records", "source", "target", "sidecar")


def _glance(state: str, looked: str) -> str:
    """Return what is known without reading, or what was read before."""
    return state if state == ABSENT else looked


def _decide(world: World, share: Share, number: int, saw: dict[str, object]) -> Share:
    scene = Scene(
        staged=saw["staged"][0],
        sidecar_staged=saw["staged"][1],
        target=TargetState(saw["target"]),
        sidecar_target=TargetState(saw["sidecar"]),
        recorded=saw["records"],
        source=SourceState(saw["source"]),
        retire=world.retire,
        withdrawn=saw["withdrawn"],
        pledged=saw["pledge"],
    )
    looks_back = scene.withdrawn and world.sidecars
    take_back = ("look_back", "take_back") if looks_back else ()
    operations = {
        Step.LOOK_AT_TARGET: ("look",),
        Step.PUBLISH_SIDECAR: ("publish_sidecar",),
        Step.PUBLISH: ("publish",) if world.no_replace else ("absent?", "replace"),
        Step.ADOPT: ("drop", "record"),
        Step.COLLIDE: ("withdraw", "set_aside"),
        Step.DROP: ("withdraw",),
        Step.RECORD: ("record",),
        Step.RETIRE: ("retire",),
        Step.FINISH: ("drop", "drop_sidecar", *take_back, *world.finish, "done"),
    }[world.choose(scene)]
    return with_node(share, number, Node(operations[0], rest=operations[1:]))


def _look(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    looked = (_state(share.target, item), _state(share.sidecar, item))
    return with_node(share, number, Node(looked=looked))


def _publish(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    if not share.staged[pledge] or share.target != NOTHING:
        presumed = not share.staged[pledge] and not world.looks_again
        return with_node(share, number, Node("record") if presumed else Node())
    return _published(share, number, pledge, item)


def _published(share: Share, number: int, pledge: int, item: int) -> Share:
    after = share._replace(
        staged=set_flag(share.staged, pledge, value=False),
        target=item + 1,
        arrived=set_flag(share.arrived, item),
        publishes=put(share.publishes, item, share.publishes[item] + 1),
    )
    return with_node(after, number, Node("record"))


def _is_absent(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    return (
        _onward(share, number) if not share.target else with_node(share, number, Node())
    )


def _replace(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    if not share.staged[pledge]:
        return with_node(share, number, Node())
    if share.target not in {NOTHING, item + 1}:
        share = share._replace(overwritten=True)
    return _published(share, number, pledge, item)


def _publish_sidecar(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    if share.sidecar_staged[pledge] and share.sidecar == NOTHING:
        share = share._replace(
            sidecar=item + 1,
            sidecar_staged=set_flag(share.sidecar_staged, pledge, value=False),
        )
    return _onward(share, number)


def _look_back(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    owns = owns_sidecar(
        target=TargetState(_state(share.target, item)),
        sidecar_target=TargetState(_state(share.sidecar, item)),
    )
    node = share.nodes[number]._replace(owns=owns)
    return _onward(with_node(share, number, node), number)


def _take_back(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    if share.nodes[number].owns and share.sidecar == item + 1:
        share = share._replace(sidecar=NOTHING)
    return _onward(share, number)


def _withdraw(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    if not share.staged[pledge]:
        return with_node(share, number, Node())
    node = share.nodes[number]._replace(dropped=True)
    after = share._replace(
        staged=set_flag(share.staged, pledge, value=False),
        withdrawn=set_flag(share.withdrawn, pledge, value=world.marks),
    )
    return _onward(with_node(after, number, node), number)


def _unpledge(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    flags = set_flag(share.pledged, pledge, value=False)
    return _onward(share._replace(pledged=flags), number)


def _drop_withdrawn(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    flags = set_flag(share.withdrawn, pledge, value=False)
    return _onward(share._replace(withdrawn=flags), number)


def _drop(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    flags = set_flag(share.staged, pledge, value=False)
    return _onward(share._replace(staged=flags), number)


def _drop_sidecar(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    flags = set_flag(share.sidecar_staged, pledge, value=False)
    return _onward(share._replace(sidecar_staged=flags), number)


def _set_aside(
    world: World, share: Share, number: int, pledge: int, item: int
) -> Share:
    if share.nodes[number].dropped and share.source[item] == SAME:
        share = share._replace(
            aside=set_flag(share.aside, item), source=put(share.source, item, GONE)
        )
    return _onward(share, number)


def _record(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    return _onward(share._replace(recorded=set_flag(share.recorded, item)), number)


def _retire(world: World, share: Share, number: int, pledge: int, item: int) -> Share:
    if share.source[item] == SAME:
        share = share._replace(source=put(share.source, item, GONE))
    return _onward(share, number)


_EFFECTS = {
    "look": _look,
    "publish": _publish,
    "absent?": _is_absent,
    "replace": _replace,
    "publish_sidecar": _publish_sidecar,
    "look_back": _look_back,
    "take_back": _take_back,
    "withdraw": _withdraw,
    "unpledge": _unpledge,
    "drop_withdrawn": _drop_withdrawn,
    "drop": _drop,
    "drop_sidecar": _drop_sidecar,
    "set_aside": _set_aside,
    "record": _record,
    "retire": _retire,
}


def _saw(share: Share, number: int, following: str, what: object) -> Share:
    node = share.nodes[number]
    return with_node(share, number, node._replace(at=following, saw=(*node.saw, what)))


def _onward(share: Share, number: int) -> Share:
    """Go to the node's next operation, or look at everything again."""
    node = share.nodes[number]
    if not node.rest:
        return with_node(share, number, Node())
    if node.rest == ("done",):
        return with_node(share, number, Node("done"))
    return with_node(share, number, node._replace(at=node.rest[0], rest=node.rest[1:]))


def with_node(share: Share, number: int, node: Node) -> Share:
    return share._replace(nodes=put(share.nodes, number, node))


def _state(content: int, item: int) -> str:
    if content == NOTHING:
        return ABSENT
    return EQUAL if content == item + 1 else DIFFERENT


def put(several: tuple, place: int, value: object) -> tuple:
    return (*several[:place], value, *several[place + 1 :])


def set_flag(flags: Flags, place: int, *, value: bool = True) -> Flags:
    return put(flags, place, value)
