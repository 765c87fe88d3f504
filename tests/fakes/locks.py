"""Locks in memory; several nodes use one register."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.model.leases import Lease, Machine, Over, Word
from paxect_batch.seams import Applicant

MACHINE = Machine(host="fake", machine="fake", boot="fake", pid=1, started="")


@dataclass
class Register:
    """What all runs on a share have in common."""

    nodes: dict[str, FakeLocks] = field(default_factory=dict)
    claims: dict[str, tuple[FakeLocks, str]] = field(default_factory=dict)
    """Who took an item, and the run that did; both, as a run may begin anew."""
    over: list[Over] = field(default_factory=list)
    """Runs that nobody has recovered yet."""


class FakeLocks:
    """`seams.Locks` of one run; claims may be had without joining, for short tests."""

    def __init__(self, register: Register | None = None) -> None:
        self.register = Register() if register is None else register
        self.lease: Lease | None = None
        self.lost = False
        self.unheard: Iterator[bool] = iter(())
        """What is said of others, one after the other; then all are heard."""
        self._taken: list[Over] = []
        """Runs that are this one's to recover, and not buried yet."""

    def join(self, applicant: Applicant) -> str:
        if applicant.node in self.register.nodes:
            raise NotReady(f"another run holds node {applicant.node!r}")
        own = applicant.codec, applicant.policy_sha256
        for other in self._leases(self.register):
            if not applicant.allow_mixed and own != (other.codec, other.policy_sha256):
                raise ConfigError(f"node {other.node!r} differs; --allow-mixed")
        batches = [lease.batch for lease in self._leases(self.register)]
        batch = min(batches, default=applicant.run)
        self.lease = Lease(
            node=applicant.node,
            run=applicant.run,
            batch=batch,
            machine=MACHINE,
            seconds=10.0,
            since=applicant.since,
            codec=applicant.codec,
            policy_sha256=applicant.policy_sha256,
            allow_mixed=applicant.allow_mixed,
        )
        self.lost = False
        self.register.nodes[applicant.node] = self
        return batch

    def leave(self, *, unfinished: bool = False) -> bool:
        if unfinished and not self.lost:
            self.die()
        if not self.lost:
            # What a lost run held is its rescuer's to give back.
            self._give_all_back()
            if self.lease is not None:
                self.register.nodes.pop(self.lease.node, None)
        self._hand_on()
        batch, self.lease = self.lease and self.lease.batch, None
        return all(lease.batch != batch for lease in self._leases(self.register))

    def claim(self, key: str) -> FakeClaim | None:
        if self.lost or key in self.register.claims:
            return None
        self.register.claims[key] = self, self._run
        return FakeClaim(self, key, self._run)

    def seems_taken(self, key: str) -> bool:
        return key in self.register.claims

    def stands(self) -> bool:
        return not self.lost

    @property
    def is_lost(self) -> bool:
        return self.lost

    def others(self) -> tuple[Lease, ...]:
        return tuple(
            lease for lease in self._leases(self.register) if lease is not self.lease
        )

    def has_unheard(self) -> bool:
        return next(self.unheard, False)

    def over(self) -> list[Over]:
        over, self.register.over = self.register.over, []
        self._taken += over
        return over

    def bury(self, over: Over) -> None:
        if over in self._taken:
            self._taken.remove(over)
        claims = self.register.claims
        for key, (_, run) in list(claims.items()):
            if run == over.run:
                del claims[key]

    def tell(self, word: Word, policy_sha256: str) -> None:
        assert self.lease is not None
        self.word = word
        self.lease = msgspec.structs.replace(self.lease, policy_sha256=policy_sha256)

    def lose(self, key: str) -> None:
        """Have another node believe that it may take the item."""
        del self.register.claims[key]

    def die(self) -> None:
        """End the lease, as others do with that of a run that beats no more."""
        self.lost = True
        self._hand_on()
        if self.lease is not None:
            del self.register.nodes[self.lease.node]
            self.register.over.append(Over(self.lease.node, self.lease.run))
        else:
            self._give_all_back()

    @property
    def held(self) -> set[str]:
        """The keys of the items that this run holds."""
        own = self, self._run
        return {key for key, owner in self.register.claims.items() if owner == own}

    @property
    def _run(self) -> str:
        return self.lease.run if self.lease is not None else ""

    def _hand_on(self) -> None:
        """Let others adopt what this run has not recovered."""
        self.register.over += self._taken
        self._taken = []

    def _give_all_back(self) -> None:
        for key in self.held:
            del self.register.claims[key]

    @staticmethod
    def _leases(register: Register) -> list[Lease]:
        return [locks.lease for locks in register.nodes.values() if locks.lease]


class FakeClaim:
    """`seams.Claim`."""

    def __init__(self, locks: FakeLocks, key: str, run: str) -> None:
        self._locks = locks
        self._key = key
        self._run = run
        self._released = False

    def release(self) -> None:
        claims = self._locks.register.claims
        locks, own = self._locks, (self._locks, self._run)
        is_own = locks._run == self._run and not locks.lost
        if not self._released and is_own and claims.get(self._key) == own:
            del claims[self._key]
        self._released = True

    def stands(self) -> bool:
        own = self._locks, self._run
        if self._locks.register.claims.get(self._key) != own:
            self._released = True
        return not self._released
