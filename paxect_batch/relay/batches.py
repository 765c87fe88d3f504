"""Batches: which runs belong together, and what all of them delivered.

A batch begins with a node that joins where no other lives, and ends with the last one
that leaves. Its runs stand in a folder of their own until then.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Batch
from paxect_batch.model.places import Place
from paxect_batch.relay import state
from paxect_batch.report.batch import BatchFold
from paxect_batch.seams import Ledger, Share


def note_run(share: Share, batch: str, owner: state.Owner) -> None:
    """Write down that the run belongs to the batch."""
    share.write(_folder(batch).child(owner.run), owner.node.encode() + b"\n")


def fold(share: Share, ledger: Ledger, batch: str, *, mixed: bool) -> Batch | None:
    """Return what all runs of the batch delivered; None if it was a single one."""
    found = BatchFold(batch)
    owners = [owner for _, owner in _runs(share, batch)]
    if len(owners) <= 1:
        return None
    for owner in owners:
        found.begin_part(*owner)
        for record in ledger.since(owner.node, owner.run, 0):
            found.add(record)
    return found.batch(mixed=mixed)


def forget(share: Share, batch: str) -> None:
    """Remove what was written down of a batch that ended."""
    for place, _ in list(_runs(share, batch)):
        share.remove(place)
    share.remove_folder(_folder(batch))


def _runs(share: Share, batch: str) -> Iterator[tuple[Place, state.Owner]]:
    folder = _folder(batch)
    share.freshen(folder)
    for place in sorted(state.files_in(share, folder)):
        node = share.read(place, 4096)
        if node is not None:
            yield place, state.Owner(node.decode().strip(), place.name)


def _folder(batch: str) -> Place:
    return state.state("batches", batch)
