"""Tell which nodes live, by reading their leases more than once; nothing is written.

A node lives if its lease changes while it is watched. Of one whose process is of this
machine the system knows at once that it ended; and that it lives, if it beat of late.
No clock of another machine decides, since clocks of machines differ.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from paxect_batch.model.leases import Lease
from paxect_batch.model.moments import utc
from paxect_batch.model.places import Root, to_bytes, to_text
from paxect_batch.model.status import Life, NodeStatus, Rescue
from paxect_batch.relay import state
from paxect_batch.world.lease_judge import beat_seconds, is_same_system
from paxect_batch.world.leases import LeaseFiles, parse
from paxect_batch.world.machine import has_ended, this_machine
from paxect_batch.world.share import LocalShare

BEATS_WATCHED = 3
"""For so many beats a node is watched before it is called silent."""
_LOOKS_PER_BEAT = 4
_STEP_SECONDS_MIN = 0.01
_WATCH_SECONDS_MAX = 6.0
"""When the watch ends, whoever came meanwhile."""


class Sight(msgspec.Struct):
    """What was seen of one lease."""

    paper: bytes
    since: float
    """When it was seen first, by a clock of our own that only grows."""
    seconds: float = 0.0
    """How long it has been in view."""
    beat: bool = False
    """Whether it changed in that time."""
    lease: Lease | None = None
    dead_run: str = ""
    """Its run, if its process was gone when it was looked at last."""
    ended: bool = False
    """Whether the lease was still there after its process was found gone."""
    changed_at: float = 0.0
    """When it changed last, by the share's clock."""


class LeaseWatch:
    """Watches the leases of a share from its making on."""

    def __init__(
        self,
        share: LocalShare,
        lease_seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`lease_seconds` is that of a lease that does not tell."""
        self._share = share
        self._leases = LeaseFiles(os.fsdecode(share.roots[Root.STATE]))
        self._seconds = lease_seconds
        self._monotonic = monotonic
        self._sleep = sleep
        self._now = now
        self._machine = this_machine()
        self._sights: dict[str, Sight] = {}
        self._named: set[str] = set()
        self._look()

    def include(self, nodes: Iterable[str]) -> None:
        """Watch these as well; a listing on NFS does not show a node that just came."""
        names = {os.fsdecode(to_bytes(node)) for node in nodes}
        self._named |= {name for name in names if _is_name(name)}

    def finish(self) -> dict[str, tuple[Life, Sight]]:
        """Watch until each node is judged; return what was found, by node."""
        until = self._monotonic() + _WATCH_SECONDS_MAX
        while True:
            self._look()
            found = {node: self._judge(each) for node, each in self._sights.items()}
            if None not in found.values() or self._monotonic() >= until:
                break
            self._sleep(self._step())
        return {
            node: (life or _undecided(self._sights[node]), self._sights[node])
            for node, life in sorted(found.items())
        }

    def over(self, nodes: Iterable[NodeStatus]) -> tuple[Rescue, ...]:
        """Return the runs that are over and not recovered, and who recovers them."""
        by_run = {each.lease.run: each for each in nodes if each.lease is not None}
        return tuple(
            Rescue(
                node=over.node,
                run=over.run,
                rescuer_run=rescuer,
                rescuer_node=by_run[rescuer].node if rescuer in by_run else "",
            )
            for over, rescuer in self._leases.over()
        )

    def _look(self) -> None:
        seen: dict[str, Sight] = {}
        for node, paper in self._leases.papers(named=self._named):
            if paper is not None:
                seen[node] = self._sight(node, paper)
        # Whoever has no lease any more has left, or is among those that are over.
        self._sights = seen

    def _sight(self, node: str, paper: bytes) -> Sight:
        moment = self._monotonic()
        sight = self._sights.get(node) or Sight(paper, moment)
        sight.seconds = moment - sight.since
        lease = parse(paper)
        if lease is not None:
            # One that is read while it is written is torn, and whole the next time.
            sight.beat = sight.beat or paper != sight.paper
            sight.lease, sight.paper = lease, paper
            # Who leaves removes the lease first and ends then.
            is_dead = self._is_here(lease) and has_ended(lease.machine)
            sight.ended = is_dead and sight.dead_run == lease.run
            sight.dead_run = lease.run if is_dead else ""
        place = state.state("nodes", to_text(os.fsencode(node)), "lease")
        facts = self._share.look(place)
        if facts is not None:
            sight.changed_at = facts.identity.mtime_ns / 1e9
        return sight

    def _judge(self, sight: Sight) -> Life | None:
        lease = sight.lease
        if sight.ended:
            return Life.NOT_RUNNING
        if sight.dead_run:
            return None
        if sight.beat:
            return Life.ALIVE
        if lease is not None and self._is_here(lease):
            # A process that is stopped is there and beats no more.
            age = abs(self._now() - sight.changed_at)
            if age <= self._watch_seconds(lease):
                return Life.ALIVE
        if sight.seconds >= self._watch_seconds(lease):
            return _undecided(sight)
        return None

    def _is_here(self, lease: Lease) -> bool:
        return is_same_system(lease.machine, self._machine)

    def _watch_seconds(self, lease: Lease | None) -> float:
        seconds = self._seconds if lease is None else lease.seconds
        return beat_seconds(seconds) * BEATS_WATCHED

    def _step(self) -> float:
        leases = [sight.lease for sight in self._sights.values()]
        shortest = min((self._watch_seconds(each) for each in leases), default=0.0)
        return max(shortest / BEATS_WATCHED / _LOOKS_PER_BEAT, _STEP_SECONDS_MIN)


def node_statuses(
    found: dict[str, tuple[Life, Sight]], claims: Counter[str]
) -> tuple[NodeStatus, ...]:
    """Return how each node stands; `claims` are counted by run."""
    return tuple(
        NodeStatus(
            node=to_text(os.fsencode(node)),
            life=life,
            silent_seconds=round(sight.seconds, 1) if life is Life.SILENT else 0.0,
            last_beat_at=utc(sight.changed_at),
            claims=claims[sight.lease.run] if sight.lease else 0,
            lease=sight.lease,
        )
        for node, (life, sight) in found.items()
    )


def _is_name(text: str) -> bool:
    return text not in ("", ".", "..") and not any(part in text for part in "/\\\0")


def _undecided(sight: Sight) -> Life:
    return Life.UNREADABLE if sight.lease is None else Life.SILENT
