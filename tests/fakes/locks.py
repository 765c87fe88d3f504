"""Locks in memory; several nodes use one register."""

from __future__ import annotations

from dataclasses import dataclass, field

from paxect_batch.model.errors import NotReady
from paxect_batch.model.leases import Lease, Machine, Over, Word
from paxect_batch.seams import Applicant

MACHINE = Machine(host="fake", machine="fake", boot="fake", pid=1, started="")


@dataclass
class Register:
    """What all runs on a share have in common."""

    nodes: dict[str, FakeLocks] = field(default_factory=dict)
    claims: dict[str, FakeLocks] = field(default_factory=dict)
    over: list[Over] = field(default_factory=list)
    """Runs that nobody has recovered yet."""


class FakeLocks:
    """`seams.Locks` of one run; claims may be had without joining, for short tests."""

    def __init__(self, register: Register | None = None) -> None:
        self.register = Register() if register is None else register
        self.lease: Lease | None = None
        self.lost = False

    def join(self, applicant: Applicant) -> str:
        if applicant.node in self.register.nodes:
            raise NotReady(f"another run holds node {applicant.node!r}")
        batch = min(
            [applicant.run, *(lease.batch for lease in self._leases(self.register))]
        )
        self.lease = Lease(
            node=applicant.node,
            run=applicant.run,
            batch=batch,
            machine=MACHINE,
            seconds=10.0,
            since=applicant.since,
            codec=applicant.codec,
            policy_sha256=applicant.policy_sha256,
        )
        self.lost = False
        self.register.nodes[applicant.node] = self
        return batch

    def leave(self) -> bool:
        self._give_all_back()
        if self.lease is not None and not self.lost:
            self.register.nodes.pop(self.lease.node, None)
        self.lease = None
        return not self.register.nodes

    def claim(self, key: str) -> FakeClaim | None:
        if self.lost or key in self.register.claims:
            return None
        self.register.claims[key] = self
        return FakeClaim(self, key)

    def stands(self) -> bool:
        return not self.lost

    @property
    def is_lost(self) -> bool:
        return self.lost

    def others(self) -> tuple[Lease, ...]:
        return tuple(
            lease for lease in self._leases(self.register) if lease is not self.lease
        )

    def over(self) -> list[Over]:
        over, self.register.over = self.register.over, []
        return over

    def bury(self, over: Over) -> None:
        claims = self.register.claims
        for key, owner in list(claims.items()):
            if owner.lease is not None and owner.lease.run == over.run:
                del claims[key]

    def tell(self, word: Word) -> None:
        assert self.lease is not None
        self.word = word

    def lose(self, key: str) -> None:
        """Have another node believe that it may take the item."""
        del self.register.claims[key]

    def die(self) -> None:
        """End the lease, as others do with that of a run that beats no more."""
        self.lost = True
        if self.lease is not None:
            del self.register.nodes[self.lease.node]
            self.register.over.append(Over(self.lease.node, self.lease.run))
        else:
            self._give_all_back()

    @property
    def held(self) -> set[str]:
        """The keys of the items that this run holds."""
        return {k for k, owner in self.register.claims.items() if owner is self}

    def _give_all_back(self) -> None:
        for key in self.held:
            del self.register.claims[key]

    @staticmethod
    def _leases(register: Register) -> list[Lease]:
        return [locks.lease for locks in register.nodes.values() if locks.lease]


class FakeClaim:
    """`seams.Claim`."""

    def __init__(self, locks: FakeLocks, key: str) -> None:
        self._locks = locks
        self._key = key
        self._released = False

    def release(self) -> None:
        claims = self._locks.register.claims
        if not self._released and claims.get(self._key) is self._locks:
            del claims[self._key]
        self._released = True
