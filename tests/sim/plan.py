"""What a seed stands for: the nodes, the share, what is dropped, and what goes wrong."""

from __future__ import annotations

import errno
import random
from typing import NamedTuple

ERRORS = (errno.EIO, errno.ESTALE, errno.ENOSPC, errno.EACCES)
OPERATIONS = ("rename", "remove", "create", "fsync", "fsync-folder", "look", "list")
NEVER = float("inf")


class Fault(NamedTuple):
    """Something that goes wrong, at a step or at the n-th operation of a kind."""

    kind: str
    on: str
    """The operation; empty for a step."""
    count: int
    node: int
    """Which one it happens to; -1 for the one that does the operation."""
    seconds: float = 0.0
    number: int = 0

    def __str__(self) -> str:
        when = f"at {self.on} {self.count}" if self.on else f"at step {self.count}"
        whom = "whoever is at it" if self.node < 0 else f"node {self.node}"
        return f"{self.kind} {when}, {whom}, {self.seconds:g} s, number {self.number}"


class Drop(NamedTuple):
    """What a producer does: wait, then lay a file there."""

    after_seconds: float
    name: str
    how: str
    """`rename` over what is there, `unlink` it first, or write `slowly` in place."""


class Plan(NamedTuple):
    """A seed's history before it happens."""

    seed: int
    nodes: int
    watches: tuple[bool, ...]
    waits: bool
    drops: tuple[Drop, ...]
    faults: tuple[Fault, ...]
    lease_seconds: float
    listing_seconds: float
    refuses_to_replace: bool
    step_seconds: float
    turn_steps_max: int
    settle_seconds: float
    on_done: str
    eager: float
    """How often a consumer takes a file in the instant in which it appears."""
    clock_offsets: tuple[float, ...]
    hands: int = 1
    """On how many items a process acts at once."""
    is_smb: bool = False
    """Whether the share says it is an SMB server's, where claims are no links."""
    stays: str = ""
    """A file of the inbox that lets no node take it away before the last drains."""
    marker: str = ""
    """The suffix of the files by which producers call others whole, if they do."""
    giant_seconds: float = 0.0
    """How long a file takes that is larger than most; 0 where none is."""
    pause_seconds: float | None = None
    """How long who writes slowly pauses; None for half of what files settle."""
    apart: tuple[str, ...] = ()
    """Folders that are file systems of their own, into which nothing is renamed."""
    ahead: int = 1
    """How many items who acts on one at a time claims before it goes on."""


def calm_plan(nodes: int) -> Plan:
    """Return a plan of nodes to which nothing happens; others are made of it."""
    return Plan(
        seed=0,
        nodes=nodes,
        watches=(False,) * nodes,
        waits=True,
        drops=(),
        faults=(),
        lease_seconds=2.0,
        listing_seconds=0.0,
        refuses_to_replace=True,
        step_seconds=0.0,
        turn_steps_max=1,
        settle_seconds=0.0,
        on_done="delete",
        eager=0.0,
        clock_offsets=(0.0,) * nodes,
    )


_HANDS_SINCE = 6_000_000
"""Seeds before this one play as they did when there was one hand alone."""
_SMB_SINCE = 6_400_000
"""Seeds before this one play on shares where claims are links."""
_KEEP_SINCE = 6_500_000
"""Seeds before this one take every source away, and know short names alone."""
_STAYS_SINCE = 6_550_000
"""Seeds before this one have no files that let nobody take them away."""
_MARKED_SINCE = 6_600_000
"""Seeds before this one have no producers that mark what is whole."""
_PAUSES_SINCE = 6_620_000
"""Seeds before this one have slow producers only who go on before a file settles."""
_GIANTS_SINCE = 6_700_000
"""Seeds before this one have no files that take long."""
_APART_SINCE = 6_720_000
"""Seeds before this one have all folders on one file system."""
_AHEAD_SINCE = 6_740_000
"""Seeds before this one claim several items at once only with several hands."""
_LONG_NAME = "l" * 250 + ".txt"
"""One that its container cannot have."""


def plan_of(seed: int, *, faults_max: int = 8) -> Plan:
    """Return the plan of a seed; the same on every machine."""
    dice = random.Random(f"plan {seed}")
    nodes = dice.choice((1, 1, 2, 2, 2, 3, 3, 4, 5, 8))
    lease_seconds = dice.choice((0.5, 2.0, 10.0))
    settle_seconds = dice.choice((0.0, 0.5, 2.0))
    step_seconds = dice.choice((0.0001, 0.001, 0.005))
    turn_steps_max = dice.choice((1, 4, 16, 64))
    if step_seconds * turn_steps_max * nodes > lease_seconds / 10:
        # Who is not heard for that long while all is well needs another lease.
        turn_steps_max, lease_seconds = 4, 10.0
    hows: tuple[str, ...] = ("rename", "rename", "unlink")
    if step_seconds * turn_steps_max * nodes < settle_seconds / 4:
        # Who is waited for long enough may write in place.
        hows += ("slowly",)
    names = [f"{dice.choice(('', '', 'sub/'))}{letter}.txt" for letter in "abcdefgh"]
    names = names[: dice.randint(1, len(names))]
    drops = tuple(
        Drop(
            dice.choice((0.0, 0.0, 0.01, 0.1, 1.0)),
            dice.choice(names),
            dice.choice(hows),
        )
        for _ in range(dice.randint(1, 10))
    )
    plan = Plan(
        seed=seed,
        nodes=nodes,
        watches=tuple(dice.random() < 0.2 for _ in range(nodes)),
        waits=dice.random() < 0.5,
        drops=drops,
        faults=_faults(dice, nodes, lease_seconds, dice.randint(0, faults_max)),
        lease_seconds=lease_seconds,
        listing_seconds=dice.choice((0.0, 0.0, 1.0, 30.0, 60.0)),
        refuses_to_replace=dice.random() < 0.6,
        step_seconds=step_seconds,
        turn_steps_max=turn_steps_max,
        settle_seconds=settle_seconds,
        on_done=dice.choice(("delete", "delete", "archive")),
        eager=dice.choice((0.0, 0.5, 1.0)),
        clock_offsets=tuple(
            dice.choice((0.0, 0.0, 3600.0, -86400.0)) for _ in range(nodes)
        ),
        hands=dice.choice((1, 2, 16)) if seed >= _HANDS_SINCE else 1,
        is_smb=seed >= _SMB_SINCE and dice.random() < 0.3,
    )
    return _widened(plan, dice) if seed >= _KEEP_SINCE else plan


def _widened(plan: Plan, dice: random.Random) -> Plan:
    if dice.random() < 0.4:
        plan = plan._replace(on_done="keep")
    if dice.random() < 0.3:
        name = plan.drops[0].name
        plan = plan._replace(
            drops=tuple(
                drop._replace(name=_LONG_NAME) if drop.name == name else drop
                for drop in plan.drops
            )
        )
    if plan.seed >= _STAYS_SINCE and dice.random() < 0.3:
        plan = plan._replace(stays=dice.choice(plan.drops).name)
    if plan.seed >= _MARKED_SINCE and dice.random() < 0.5:
        plan = plan._replace(marker=".ok")
    if plan.marker and plan.seed >= _PAUSES_SINCE:
        # Who marks what is whole may pause for as long as he likes before.
        plan = plan._replace(
            pause_seconds=dice.choice((plan.settle_seconds * 3, 5.0)),
            drops=tuple(
                drop._replace(how="slowly") if dice.random() < 0.4 else drop
                for drop in plan.drops
            ),
        )
    if plan.seed >= _GIANTS_SINCE and dice.random() < 0.6:
        # Nodes whose leases are short do little else than beat in longer ones.
        seconds = min(dice.choice((0.5, 3.0, 20.0)), plan.lease_seconds * 10)
        plan = plan._replace(giant_seconds=seconds)
    if plan.seed >= _APART_SINCE and dice.random() < 0.5:
        tops = ("inbox", "wire", "outbox")
        plan = plan._replace(apart=tuple(top for top in tops if dice.random() < 0.6))
    if plan.seed >= _AHEAD_SINCE and dice.random() < 0.7:
        plan = plan._replace(ahead=16)
    return plan


KINDS = (
    *("kill",) * 4,
    *("freeze",) * 4,
    *("replace",) * 3,
    *("error",) * 4,
    "cut",
    "hang",
    "power",
    "lose-claim",
    "clock",
    "damage",
    "worker",
)


def _faults(
    dice: random.Random, nodes: int, lease_seconds: float, number: int
) -> tuple[Fault, ...]:
    faults = []
    for _ in range(number):
        kind = dice.choice(KINDS)
        if kind == "lose-claim" and dice.random() < 0.5:
            kind = "kill"
        on = dice.choice(("", *OPERATIONS, "rename", "rename"))
        count = dice.randint(1, 3000) if not on else dice.randint(1, 120)
        node = dice.choice((-1, dice.randrange(nodes))) if on else dice.randrange(nodes)
        seconds = dice.choice((0.05, 1.0, lease_seconds * 0.9, lease_seconds * 3))
        picked = 0
        if kind == "error":
            # Odd: the operation happens all the same.
            picked = dice.choice(ERRORS) * 2 + dice.randint(0, 1)
            seconds = float(dice.choice((1, 1, 2, 5)))
        elif kind == "clock":
            seconds = dice.choice((86400.0, -86400.0, 5.0))
        elif kind in ("kill", "power") and nodes > 1 and dice.random() < 0.3:
            seconds = NEVER
        faults.append(Fault(kind, on, count, node, seconds, picked))
    return tuple(faults)
