"""Where ledgers lie, and what a line of one says."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Record
from paxect_batch.seams import Share

FOLDER = Place(Root.STATE, "ledger")
_SUFFIX = ".jsonl"

_decoder = msgspec.json.Decoder(Record)


def ledger_place(node: str, run: str) -> Place:
    """Return where the ledger of a node's run is."""
    return FOLDER.child(node).child(f"{run}{_SUFFIX}")


def run_of(ledger: Place) -> str:
    """Return the run whose ledger it is."""
    return ledger.name.removesuffix(_SUFFIX)


def ledgers(share: Share, *, of_any_kind: bool = False) -> Iterator[Place]:
    """Give the ledgers of all runs of all nodes, in no order.

    `of_any_kind` says that what has a ledger's name and is no file is given as well.
    """
    for node in share.entries(FOLDER):
        if node.kind is not Kind.FOLDER:
            continue
        for run in share.entries(node.place):
            is_one = run.kind is Kind.FILE or of_any_kind
            if is_one and run.place.name.endswith(_SUFFIX):
                yield run.place


def record_in(line: bytes) -> Record | None:
    """Return what a line says; None if it is torn, or no record."""
    if not line.endswith(b"\n"):
        return None
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
