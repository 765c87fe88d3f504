"""Batches: which runs belong together, and what all of them delivered.

A batch begins with a node that joins where no other lives, and ends with the last one
that leaves. Its runs stand in a folder of their own until then. If that one died
instead, the folder is swept.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Batch
from paxect_batch.model.places import Place
from paxect_batch.relay import state
from paxect_batch.report.batch import BatchFold
from paxect_batch.rules.naming import is_temporary
from paxect_batch.seams import Ledger, Share

_CLOSED = "closed"
"""Made by the node that adds a batch up; no run has such a name."""


def note_run(share: Share, batch: str, owner: state.Owner) -> None:
    """Write down that the run belongs to the batch."""
    share.write(_folder(batch).child(owner.run), owner.node.encode() + b"\n")


def close(share: Share, ledger: Ledger, batch: str, *, mixed: bool) -> Batch | None:
    """Return what all runs of the batch delivered, and remove what is noted of it.

    None if it was a single run, or if another node closes it: of those that leave in
    one instant, each finds that it was the last.
    """
    mark = _folder(batch).child(_CLOSED)
    try:
        share.create(mark).close()
    except FileExistsError:
        return None
    found = BatchFold(batch)
    share.freshen(mark.folder)
    noted = list(runs(share, mark.folder))
    for _, owner in noted if len(noted) > 1 else ():
        found.begin_part(*owner)
        for record in ledger.since(owner.node, owner.run, 0):
            found.add(record)
    # The mark goes last: who comes late must find a batch without runs.
    for place in [*(place for place, _ in noted), mark]:
        share.remove(place)
    share.remove_folder(mark.folder)
    return found.batch(mixed=mixed) if len(noted) > 1 else None


def is_abandoned(share: Share, folder: Place) -> bool:
    """Tell whether no run of a batch lives, and none waits to be recovered."""
    return all(
        share.look(state.intent_folder(owner)) is None
        for _, owner in runs(share, folder)
    )


def folders(share: Share) -> Iterator[Place]:
    """Give the folders of all batches that nobody closed yet."""
    yield from state.folders_in(share, state.state("batches"))


def runs(share: Share, folder: Place) -> Iterator[tuple[Place, state.Owner]]:
    """Give the runs of a batch, and where each is noted."""
    for place in sorted(state.files_in(share, folder)):
        if place.name == _CLOSED or is_temporary(place.name):
            continue
        node = share.read(place, 4096)
        if node is not None:
            yield place, state.Owner(node.decode().strip(), place.name)


def _folder(batch: str) -> Place:
    return state.state("batches", batch)
