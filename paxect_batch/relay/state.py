"""Where the relay keeps its own papers below `.paxect/`, and how they are written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from paxect_batch.model.items import Direction, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.seams import Share

ASIDE_PREFIX = "retired-"
"""Begins the names of sources that are moved aside while they are retired."""

PAPER_BYTES_MAX = 16 << 20
"""No paper is longer; what is longer was not written here."""

T = TypeVar("T")


def key_of(direction: Direction, source: Place) -> str:
    """Return the short name under which an item is claimed and remembered."""
    text = f"{direction}\0{source}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def state(*parts: str) -> Place:
    """Return a place below the state folder."""
    return Place(Root.STATE, "/".join(parts))


def stage_folder(share: Share, node: str, root: Root) -> Place:
    """Where a node keeps files that are on their way into or out of a root.

    In the state folder, unless that is on another file system, from which no rename
    leads there.
    """
    if share.together(Root.STATE, root):
        return state("stage", node)
    return Place(root, f".paxect/stage/{node}")


def aside_place(share: Share, node: str, source: Place, stage: Place) -> Place:
    """Where a source is moved aside while it is retired."""
    folder = stage_folder(share, node, source.root)
    return folder.child(f"{ASIDE_PREFIX}{stage.name}")


def intent_folder(node: str) -> Place:
    """Where a node's intents lie."""
    return state("intents", node)


def intent_place(node: str, run: str, number: int) -> Place:
    """Where one intent lies."""
    return intent_folder(node).child(f"{run}-{number:08d}.json")


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
    share.write(place, msgspec.json.encode(paper) + b"\n")


def files_in(share: Share, folder: Place) -> Iterator[Place]:
    """Give the files of a folder of the state."""
    for entry in share.entries(folder):
        if entry.kind is Kind.FILE:
            yield entry.place
