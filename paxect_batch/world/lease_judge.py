"""Leases: when one is over, and who may have one.

A lease is over when no beat came for its time on the judge's own clock, counted only
while the judge was looking: whoever was asleep himself judges nobody by that.
"""

from __future__ import annotations

from collections.abc import Iterable

from paxect_batch.model.leases import Lease, Machine

LEASE_SECONDS = 10.0
"""The lease time where a share does not say otherwise."""

LEASE_SECONDS_MIN = 0.5
LEASE_SECONDS_MAX = 3600.0

BEATS_PER_LEASE = 10
BEAT_SECONDS_MAX = 1.0


def beat_seconds(lease_seconds: float) -> float:
    """Return how long to wait from one beat to the next."""
    return min(lease_seconds / BEATS_PER_LEASE, BEAT_SECONDS_MAX)


class Silence:
    """How long leases have not changed, by a clock of one's own."""

    def __init__(self, *, look_seconds: float) -> None:
        """`look_seconds` is how often the judge looks, be it at this lease or that."""
        self._step_max = 2 * look_seconds
        self._looked: float | None = None
        self._listened = 0.0
        """How long the judge has been looking, in all."""
        self._seen: dict[str, tuple[bytes, float]] = {}
        """What a lease says, and how long the judge had been looking by then."""
        self._heard: set[str] = set()
        self._silent: set[str] = set()

    def look(self, node: str, paper: bytes, now: float) -> float:
        """Take in what the lease says now; return the seconds it has been silent."""
        if self._looked is not None:
            self._listened += min(now - self._looked, self._step_max)
        self._looked = now
        before = self._seen.get(node)
        if before is not None and before[0] == paper:
            self._silent.add(node)
            return self._listened - before[1]
        if before is not None:
            self._heard.add(node)
        self._silent.discard(node)
        self._seen[node] = paper, self._listened
        return 0.0

    def is_well(self, node: str) -> bool:
        """Tell whether the lease was heard ever, and had changed at the last look."""
        return node in self._heard and node not in self._silent

    def has_heard(self, node: str) -> bool:
        """Tell whether the lease ever changed since it was looked at first."""
        return node in self._heard

    def forget(self, node: str) -> None:
        """Forget a lease that is gone."""
        self._seen.pop(node, None)
        self._heard.discard(node)
        self._silent.discard(node)


def is_same_system(one: Machine, other: Machine) -> bool:
    """Tell whether both say that they are on one machine in one life of it."""
    return (one.host, one.machine, one.boot) == (other.host, other.machine, other.boot)


def refusal(own: Lease, others: Iterable[Lease]) -> str:
    """Return why a run may not join the living ones; empty if it may."""
    for other in others:
        if other.machine.host == own.machine.host and not is_same_system(
            other.machine, own.machine
        ):
            return (
                f"node {other.node!r} runs on another machine with this one's host "
                f"name, {own.machine.host!r}; file servers take the two for one; "
                "nothing was changed; give this machine a host name of its own (and, "
                "if it is a copy of the other, a machine id)"
            )
    return ""


def mixture(own: Lease, others: Iterable[Lease]) -> str:
    """Return how a run would mix the batch of the living ones; empty if not."""
    for other in others:
        if other.codec != own.codec:
            return (
                f"node {other.node!r} works with {other.codec}, this one with "
                f"{own.codec}; their containers may differ; install the same version "
                "of paxect-batch on both"
            )
        if other.policy_sha256 != own.policy_sha256:
            return (
                f"node {other.node!r} works by policy {other.policy_sha256[:12]}, this "
                f"one by {own.policy_sha256[:12]}; see what differs with: paxect-batch "
                "config show; give both the same"
            )
    return ""
