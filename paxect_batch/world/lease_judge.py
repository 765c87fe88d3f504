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
        """`look_seconds` is how often the judge looks."""
        self._step_max = 2 * look_seconds
        self._seen: dict[str, tuple[bytes, float, float]] = {}
        self._heard: set[str] = set()

    def look(self, node: str, paper: bytes, now: float) -> float:
        """Take in what the lease says now; return the seconds it has been silent."""
        before = self._seen.get(node)
        if before is None:
            silent = 0.0
        elif before[0] != paper:
            self._heard.add(node)
            silent = 0.0
        else:
            _, looked, silent = before
            silent += min(now - looked, self._step_max)
        self._seen[node] = paper, now, silent
        return silent

    def has_heard(self, node: str) -> bool:
        """Tell whether the lease ever changed since it was looked at first."""
        return node in self._heard

    def forget(self, node: str) -> None:
        """Forget a lease that is gone."""
        self._seen.pop(node, None)
        self._heard.discard(node)


def is_same_system(one: Machine, other: Machine) -> bool:
    """Tell whether both say that they are on one machine in one life of it."""
    return (one.host, one.machine, one.boot) == (other.host, other.machine, other.boot)


def refusal(own: Lease, others: Iterable[Lease]) -> str:
    """Return why a run may not join the living ones; empty if it may."""
    for other in others:
        # Containers, and users, of one machine share its boot, and are one client.
        if (
            other.machine.host == own.machine.host
            and other.machine.boot != own.machine.boot
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
