"""Find a run by any id under which it recorded.

It has several if it was taken for dead and went on: its audit names them all.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Audit
from paxect_batch.model.places import Place
from paxect_batch.relay import state
from paxect_batch.seams import Share


def audit_of(share: Share, run: str) -> Audit | None:
    """Return the audit of the run; None if none of that id ended here."""
    name = f"{run}.json"
    later = []
    # Among names that are there, since the word may be none.
    for place in _audits(share):
        if place.name == name:
            audit = state.load_paper(share, place, Audit)
            if audit is not None:
                return audit
        elif place.name > name:
            # Ids begin with their time, and the audit has the last.
            later.append(place)
    for place in sorted(later, key=lambda place: place.name):
        audit = state.load_paper(share, place, Audit)
        if audit is not None and run in audit.earlier_runs:
            return audit
    return None


def ids_of(audit: Audit) -> tuple[str, ...]:
    """Return all ids under which a run recorded."""
    return *audit.earlier_runs, audit.run


def _audits(share: Share) -> Iterator[Place]:
    for node in state.folders_in(share, state.state("runs")):
        yield from state.files_in(share, node)
