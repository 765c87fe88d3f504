"""Which batch a run joins: the one that is there, or one that it begins.

Only one run at a time may look whether there is a batch, and begin one: of several that
start in the same instant, each would see the others without any. It is a matter of the
batch's sum alone; if the marker for that fails, there may be two batches, of which each
has a last run that leaves it.
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

_TAKEN_AWAY_MAX = 3
"""So often it is taken from who seems to have left it; then a run does without."""


def join_batch(
    keeper: Keeper,
    leases: LeaseFiles,
    claims: ClaimFiles,
    *,
    wait: Callable[[], float],
) -> str:
    """Have the lease of a run that just joined tell its batch, and return it.

    `wait` waits a moment and returns how long, or raises to give up. `OSError` if the
    share refuses to remove the marker of a run that left it.
    """
    own = keeper.own
    batch = _there(own, leases)
    if batch is not None:
        keeper.join_batch(batch)
        return batch
    has_marker = _take_marker(own, leases, claims, wait)
    try:
        batch = _there(own, leases) or own.run
        keeper.join_batch(batch)
    finally:
        if has_marker:
            claims.give_back(KEY, run=own.run)
    return batch


def is_last(own: Lease, leases: LeaseFiles, *, wait: Callable[[], float]) -> bool:
    """Tell whether no run of the batch is left, now that this one's lease is gone.

    Who joins in this instant, and tells no batch yet, may have found this one.
    """
    waited = 0.0
    while True:
        told = _told(own, leases)
        if own.batch in told or None in told:
            return False
        if "" not in told or waited >= _PATIENCE_SECONDS:
            return True
        waited += wait()


def _there(own: Lease, leases: LeaseFiles) -> str | None:
    """Return the batch that the other runs tell, None without any."""
    return min((batch for batch in _told(own, leases) if batch), default=None)


def _told(own: Lease, leases: LeaseFiles) -> set[str | None]:
    """Return the batches of the other runs; nothing of who tells none yet.

    None of who keeps his lease to himself.
    """
    told: set[str | None] = set()
    for _, paper in leases.papers(fresh=True):
        lease = parse(paper) if paper is not None else None
        if paper is None:
            told.add(None)
        elif _is_other(lease, own):
            told.add(lease.batch if lease else "")
    return told


def _is_other(lease: Lease | None, own: Lease) -> bool:
    return lease is None or lease.run != own.run


def _take_marker(
    own: Lease, leases: LeaseFiles, claims: ClaimFiles, wait: Callable[[], float]
) -> bool:
    """Make the marker, once whoever has it is done.

    False if it cannot be had, or need not be, since there is a batch by now.
    """
    holder, waited, taken_away = None, 0.0, 0
    while not claims.take(KEY, node=own.node, run=own.run):
        waited += wait()
        if _there(own, leases) is not None:
            return False
        try:
            found = claims.owner(KEY)
        except PermissionError:
            found = None  # another user's, who keeps it to himself
        if found != holder:
            # Each may take its time: many begin at once, and machines are slow.
            holder, waited = found, 0.0
        if waited < _PATIENCE_SECONDS and not _has_left(found, leases):
            continue
        if taken_away >= _TAKEN_AWAY_MAX:
            return False
        taken_away, waited = taken_away + 1, 0.0
        try:
            claims.take_away(KEY)
        except OSError:
            # Windows refuses while some node reads it, which takes a moment.
            if taken_away == _TAKEN_AWAY_MAX:
                raise
    return True


def _has_left(owner: tuple[str, str] | None, leases: LeaseFiles) -> bool:
    """Tell whether the run that made the marker has no lease any more."""
    if owner is None:
        return False
    node, run = owner
    try:
        lease = _lease(node, leases)
    except PermissionError:
        return False  # another user's, who may live or not
    return lease is None or lease.run != run


def _lease(node: str, leases: LeaseFiles) -> Lease | None:
    paper = leases.read(node)
    return parse(paper) if paper is not None else None
