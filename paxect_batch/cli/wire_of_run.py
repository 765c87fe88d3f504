"""Find the wire of the run that set an item aside, where folders are named one by one.

Other commands are told of inbox and outbox, and may not be of the wire.
"""

from __future__ import annotations

import os

from paxect_batch.cli.layout import Layout, usual_wire
from paxect_batch.cli.results import settings_place
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Root, printable
from paxect_batch.model.run_settings import RunSettings
from paxect_batch.model.transfer import Reason
from paxect_batch.relay import state
from paxect_batch.seams import Share


def other_wire(share: Share, layout: Layout, reason: Reason) -> str | None:
    """Return the wire of the item's run, if it is known not to be this one."""
    place = settings_place(reason.node, reason.run)
    paper = None if layout.share else state.load_paper(share, place, RunSettings)
    if paper is None:
        return None
    values = {name: setting.value for name, setting in paper.settings.items()}
    roots = layout.roots
    wire, mode = values.get("wire"), values.get("direction")
    if wire is None and mode in set(Mode):
        wire = usual_wire(roots[Root.INBOX], roots[Root.OUTBOX], Mode(str(mode)))
    # Of one that was named from another working folder nothing is known.
    if not isinstance(wire, str) or not os.path.isabs(wire):
        return None
    # A path that was recorded may be spelled in another way.
    this, that = roots[Root.WIRE], os.path.realpath(wire)
    is_same = printable(os.path.realpath(this)) == printable(that)
    return None if is_same or printable(this) == printable(wire) else wire
