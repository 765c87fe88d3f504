"""Which batch a run joins: the one that is there, or one that it begins.

Only one run at a time may look whether there is a batch, and begin one: of several that
start in the same instant, each would see the others without any. It is a matter of the
batch's sum alone; if the marker for that fails, there may be two batches.
"""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.leases import Lease
from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles, parse

KEY = "batch"
"""The marker's key, which no item has."""

_PATIENCE_SECONDS = 3.0
"""Whoever is alive is done by then; two batches are better than a long wait."""


def join_batch(
    keeper: Keeper,
    leases: LeaseFiles,
    claims: ClaimFiles,
    *,
    wait: Callable[[], float],
) -> str:
    """Have the lease of a run that just joined tell its batch, and return it.

    `wait` waits a moment and returns how long, or raises to give up.
    """
    own, waited = keeper.own, 0.0
    batch = _there(own, leases)
    if batch is None:
        while not claims.take(KEY, node=own.node, run=own.run):
            waited += wait()
            if waited >= _PATIENCE_SECONDS or _is_left(claims, leases):
                claims.give_back(KEY, run=keeper.own.run)
                waited = 0.0
        try:
            batch = _there(own, leases) or own.run
            keeper.join_batch(batch)
        finally:
            claims.give_back(KEY, run=keeper.own.run)
    else:
        keeper.join_batch(batch)
    return batch


def _there(own: Lease, leases: LeaseFiles) -> str | None:
    """Return the batch that the other runs tell, None without any."""
    found = [_lease(node, leases) for node in leases.nodes() if node != own.node]
    return min((lease.batch for lease in found if lease and lease.batch), default=None)


def _is_left(claims: ClaimFiles, leases: LeaseFiles) -> bool:
    """Tell whether the run that made the marker has no lease any more."""
    owner = claims.owner(KEY)
    if owner is None:
        return False
    node, run = owner
    lease = _lease(node, leases)
    return lease is None or lease.run != run


def _lease(node: str, leases: LeaseFiles) -> Lease | None:
    paper = leases.read(node)
    return parse(paper) if paper is not None else None
