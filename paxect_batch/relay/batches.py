"""Batches: which runs belong together, and what all of them delivered.

A batch begins with a node that joins where no other lives, and ends with the last one
that leaves. Its runs stand in a folder of their own until then. If that one died
instead, the folder is swept.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Batch
from paxect_batch.model.leases import is_name
from paxect_batch.model.places import Place
from paxect_batch.relay import state
from paxect_batch.report.batch import BatchFold
from paxect_batch.rules.naming import is_temporary
from paxect_batch.seams import Ledger, Share

_NOTE_BYTES_MAX = 4096
_NOBODY = "nobody"
"""Whose a note is that names no node: it counts, and leads to no records."""
_CLOSED = "closed"
"""Made by the node that adds a batch up; no run has such a name."""
_NOTED_MAX = 64
"""Of more runs, those that recorded nothing are not kept in mind."""


def note_run(share: Share, batch: str, owner: state.Owner, made_by: str) -> None:
    """Write down that the run belongs to the batch, and by what it makes containers."""
    assert "\n" not in made_by
    paper = f"{made_by}\n{owner.node}".encode()
    share.write(_folder(batch).child(owner.run), paper)


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
    noted = list(_noted(share, mark.folder))
    mixed = mixed or len({made_by for _, _, made_by in noted}) > 1
    for _, owner, _ in noted if len(noted) > 1 else ():
        found.begin_part(*owner)
        for record in ledger.since(owner.node, owner.run, 0):
            found.add(record)
    # The mark goes last: who comes late must find a batch without runs.
    for place in [*(place for place, _, _ in noted), mark]:
        share.remove(place)
    share.remove_folder(mark.folder)
    return found.batch(mixed=mixed) if len(noted) > 1 else None


def thin_out(share: Share, ledger: Ledger, batch: str, owner: state.Owner) -> None:
    """Forget that the run belonged to the batch, if nobody needs to know.

    A `watch` for months beside a `drain` every minute: the batch has its end when the
    `watch` has, and would tell of a hundred thousand runs that found nothing to do.
    """
    if (
        next(ledger.since(owner.node, owner.run, 0), None) is None
        and share.look(state.intent_folder(owner)) is None
        and sum(1 for _ in state.files_in(share, _folder(batch))) > _NOTED_MAX
    ):
        share.remove(_folder(batch).child(owner.run))


def is_abandoned(share: Share, folder: Place) -> bool:
    """Tell whether no run of a batch lives, and none waits to be recovered."""
    return all(
        share.look(state.intent_folder(owner)) is None
        for _, owner, _ in _noted(share, folder)
    )


def folders(share: Share) -> Iterator[Place]:
    """Give the folders of all batches that nobody closed yet."""
    yield from state.folders_in(share, state.state("batches"))


def _noted(share: Share, folder: Place) -> Iterator[tuple[Place, state.Owner, str]]:
    """Give where each run of a batch is noted, its owner, and by what it makes."""
    for place in sorted(state.files_in(share, folder)):
        if place.name == _CLOSED or is_temporary(place.name):
            continue
        paper = state.read_paper(share, place, _NOTE_BYTES_MAX)
        if paper is not None:
            made_by, _, node = paper.decode("utf-8", "replace").partition("\n")
            owner = state.Owner(node if is_name(node) else _NOBODY, place.name)
            yield place, owner, made_by


def _folder(batch: str) -> Place:
    return state.state("batches", batch)
