"""Every state that an abstract share can come to, each one checked.

Between any two operations another node may go on, a node may crash and begin anew
(which is what recovery is), a consumer may take what was published, and, a limited
number of times, a producer may replace or remove its file and somebody else may put a
file or a sidecar where we publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from share_model import (
    CHANGED,
    FOREIGN,
    GONE,
    NOTHING,
    Node,
    Share,
    World,
    operate,
    put,
    set_flag,
    with_node,
)

_BY_PLEDGE = ("staged", "sidecar_staged", "withdrawn", "pledged", "nodes")
"""What a share has for each pledge, or for the node at it."""


def explore(
    world: World, check: Callable[[World, Share], None], *, states_max: int = 400_000
) -> int:
    """Check every reachable state, twins once; return how many there are."""
    start = world.start()
    seen = {_canonical(world, start)}
    todo = [start]
    while todo:
        share = todo.pop()
        check(world, share)
        for after in _successors(world, share):
            state = _canonical(world, after)
            if state not in seen:
                seen.add(state)
                todo.append(state)
        assert len(seen) <= states_max, "the world is too large to be explored"
    return len(seen)


def _canonical(world: World, share: Share) -> Share:
    """Return the state, or its twin in which like nodes have changed places.

    Nodes at one pledge are alike, and so are pledges of one item: what can happen to
    the one can happen to its twin, and whatever is checked holds for both or neither.
    """
    if world.work == (0, 0):
        one, other = share.nodes
        return share._replace(nodes=(other, one)) if hash(one) > hash(other) else share
    if world.items == (0, 0) and world.work == (0, 1):
        swapped = share._replace(
            **{name: getattr(share, name)[::-1] for name in _BY_PLEDGE}
        )
        return swapped if hash(share) > hash(swapped) else share
    return share


def _successors(world: World, share: Share) -> Iterator[Share]:
    for number, node in enumerate(share.nodes):
        if node.at != "done":
            yield operate(world, share, number)
            if world.crashes and node != Node():
                yield with_node(share, number, Node())
    yield from _outside(world, share)


def _outside(world: World, share: Share) -> Iterator[Share]:
    """Give what consumers, producers and strangers may do."""
    if share.target != NOTHING:
        taken = share.taken
        if share.target != FOREIGN:
            taken = set_flag(taken, share.target - 1)
        yield share._replace(target=NOTHING, sidecar=NOTHING, taken=taken)
    if not share.meddling:
        return
    left = share._replace(meddling=share.meddling - 1)
    for item, state in enumerate(share.source):
        if state != GONE:
            gone = left._replace(touched=set_flag(share.touched, item))
            yield gone._replace(source=put(share.source, item, GONE))
            yield gone._replace(source=put(share.source, item, CHANGED))
        if share.target == NOTHING:
            yield left._replace(
                target=item + 1,
                arrived=set_flag(share.arrived, item),
                sidecar=share.sidecar,
            )
    if share.target == NOTHING:
        yield left._replace(target=FOREIGN)
    if share.sidecar == NOTHING and world.sidecars:
        yield left._replace(sidecar=FOREIGN)
