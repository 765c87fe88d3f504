"""Where the relay keeps its own papers below `.paxect/`, and how they are written.

A run has a folder for its intents, made before it stages anything, and removed before
anybody sweeps what it staged. So whoever takes a sleeping run for dead and sweeps it
takes its word away as well: when it wakes, it can promise nothing any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec

from paxect_batch.model.items import Direction, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.seams import Share

RETIRED_PREFIX = "retired-"
"""Begins the names of sources that are moved aside while they are retired."""
WITHDRAWN_SUFFIX = ".withdrawn"
"""Ends the name of a staged file that will never be published."""

PAPER_BYTES_MAX = 16 << 20
"""No paper is longer; what is longer was not written here."""

T = TypeVar("T")


class Owner(NamedTuple):
    """A node's run, which folders of the state belong to."""

    node: str
    run: str


def key_of(direction: Direction, source: Place) -> str:
    """Return the short name under which an item is claimed and remembered."""
    text = f"{direction}\0{source}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def state(*parts: str) -> Place:
    """Return a place below the state folder."""
    return Place(Root.STATE, "/".join(parts))


def stages_folder(share: Share, node: str, root: Root) -> Place:
    """Where the stage folders of a node's runs are, for one root.

    In the state folder, unless that is on another file system, from which no rename
    leads there.
    """
    if share.together(Root.STATE, root):
        return state("stage", node)
    return Place(root, f".paxect/stage/{node}")


def stage_folder(share: Share, owner: Owner, root: Root) -> Place:
    """Where a run keeps files that are on their way into or out of a root."""
    return stages_folder(share, owner.node, root).child(owner.run)


def withdrawn_place(stage: Place) -> Place:
    """Where a staged file goes that will never be published."""
    return stage.beside(stage.name + WITHDRAWN_SUFFIX)


def intents_folder(node: str) -> Place:
    """Where the intent folders of a node's runs are."""
    return state("intents", node)


def intent_folder(owner: Owner) -> Place:
    """Where a run's intents lie, from its begin to its end."""
    return intents_folder(owner.node).child(owner.run)


def intent_place(owner: Owner, number: int) -> Place:
    """Where one intent lies."""
    return intent_folder(owner).child(f"{number:08d}.json")


def intents_of(share: Share, node: str) -> Iterator[Place]:
    """Give the intents of all runs of a node."""
    for run in folders_in(share, intents_folder(node)):
        yield from intents_in(share, run)


def intents_in(share: Share, folder: Place) -> Iterator[Place]:
    """Give the intents of one run, by its folder."""
    for place in files_in(share, folder):
        if is_intent(place):
            yield place


def is_intent(place: Place) -> bool:
    """Tell whether what lies in a run's folder for intents is one."""
    return place.name.endswith(".json")


def attempts_place(key: str) -> Place:
    """Where what was tried with an item is kept."""
    return state("attempts", f"{key}.json")


def meta_place(target: Place) -> Place:
    """Where what a container cannot hold is kept, by the container's place."""
    return state("meta", f"{key_of(Direction.DECODE, target)}.json")


def quarantine_folder(identifier: str) -> Place:
    """Where one item that was set aside lies, beside its reason."""
    return state("quarantine", identifier)


def load_paper(share: Share, place: Place, kind: type[T]) -> T | None:
    """Return the paper there; None if it is not there or is no such paper."""
    data = share.read(place, PAPER_BYTES_MAX)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def save_paper(share: Share, place: Place, paper: msgspec.Struct) -> None:
    """Write the paper durably and whole."""
    share.write(place, paper_bytes(paper))


def paper_bytes(paper: msgspec.Struct) -> bytes:
    """Return the paper as it is written down."""
    return msgspec.json.encode(paper) + b"\n"


def files_in(share: Share, folder: Place) -> Iterator[Place]:
    """Give the files of a folder of the state."""
    for entry in share.entries(folder):
        if entry.kind is Kind.FILE:
            yield entry.place


def folders_in(share: Share, folder: Place) -> Iterator[Place]:
    """Give the folders of a folder of the state."""
    for entry in share.entries(folder):
        if entry.kind is Kind.FOLDER:
            yield entry.place
