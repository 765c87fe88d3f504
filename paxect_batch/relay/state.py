"""Where the relay keeps its own papers below `.paxect/`, and how they are written.

A run has a folder for its intents, made before it stages anything, and removed before
anybody sweeps what it staged. So whoever takes a sleeping run for dead and sweeps it
takes its word away as well: when it wakes, it can promise nothing any more.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
from collections.abc import Iterator
from typing import IO, NamedTuple, TypeVar

import msgspec

from paxect_batch.model.about import About
from paxect_batch.model.errors import NotReady
from paxect_batch.model.items import Direction, Kind
from paxect_batch.model.numbers import INT64_MIN, UINT64_MAX
from paxect_batch.model.places import Place, Root, is_file_path
from paxect_batch.model.transfer import Attempts, Intent
from paxect_batch.seams import Share

RETIRED_PREFIX = "retired-"
"""Begins the names of sources that are moved aside while they are retired."""
WITHDRAWN_SUFFIX = ".withdrawn"
"""Ends the name of a staged file that will never be published."""

UNREADABLE_SUFFIX = ".unreadable"
"""Ends the name of what was in the place of a paper, and is none."""

PAPER_BYTES_MAX = 16 << 20
"""No paper is longer; what is longer was not written here."""

_KEYS_KEPT = 4096
"""Each is asked for several times while its item is on its way."""

_STAGE_PARTS = 8
_STAGED_IN_A_ROW = 256
"""So many stages of a run go into one folder before it is the next one's turn."""

T = TypeVar("T")


class Owner(NamedTuple):
    """A node's run, which folders of the state belong to."""

    node: str
    run: str


@functools.lru_cache(maxsize=_KEYS_KEPT)
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


def stage_part(share: Share, owner: Owner, root: Root, number: int) -> Place:
    """Where a run stages its file of that number, on its way into a root.

    In several folders in turn: while workers create files in one, none can be renamed
    out of it.
    """
    part = number // _STAGED_IN_A_ROW % _STAGE_PARTS
    return stage_folder(share, owner, root).child(str(part))


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


def write_all(stream: IO[bytes], data: bytes) -> None:
    """Write all of it, however much the share takes at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def load_attempts(share: Share, key: str) -> Attempts | None:
    """Return an item's history; None if there is none, or another user keeps it."""
    try:
        return load_paper(share, attempts_place(key), Attempts)
    except PermissionError:
        return None


def attempts_place(key: str) -> Place:
    """Where what was tried with an item is kept."""
    return state("attempts", f"{key}.json")


def meta_place(target: Place) -> Place:
    """Where what a container cannot hold is kept, by the container's place."""
    return state("meta", f"{key_of(Direction.DECODE, target)}.json")


def read_paper(
    share: Share, place: Place, bytes_max: int = PAPER_BYTES_MAX
) -> bytes | None:
    """Return what stands there; None if nothing is there, nothing if it is no paper.

    What is too long is none, and what is no file.
    """
    try:
        return share.read(place, bytes_max)
    except OSError as error:
        if error.errno == errno.EFBIG:
            return b""
        facts = share.look(place)
        if facts is None or facts.kind is Kind.FILE:
            raise
        return b""


def load_paper(share: Share, place: Place, kind: type[T]) -> T | None:
    """Return the paper there; None if it is not there or is no such paper."""
    data = read_paper(share, place)
    return None if data is None else paper_in(data, kind)


def paper_in(data: bytes, kind: type[T]) -> T | None:
    """Return the paper that the bytes are; None if no relay could have written it."""
    try:
        paper = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return paper if _is_ours(paper) else None


def intent_bytes(intent: Intent) -> bytes:
    """Return an intent as it is written down: a line of its own for its SHA-256.

    All else that is damaged costs a second try. An intent of which one letter is wrong
    may say that what was staged under another name is published.
    """
    paper = paper_bytes(intent)
    return paper + hashlib.sha256(paper).hexdigest().encode() + b"\n"


def load_intent(share: Share, place: Place) -> Intent | None:
    """Return the intent there; None if it is not there, or not as it was written."""
    paper = _whole_intent(share, place)
    return None if paper is None else paper_in(paper, Intent)


def require_known(share: Share, place: Place) -> None:
    """Raise `NotReady` for an intent that is whole, and says what nobody here knows.

    Were it passed over, what it promised and published would be delivered again.
    """
    paper = _whole_intent(share, place)
    if paper is not None and paper_in(paper, Intent) is None:
        raise NotReady(
            f"{place} was written by another version of this program, which died with "
            "files half done; nothing was changed; run that version on this share "
            "once, so that it finishes them, and then this one"
        )


def _whole_intent(share: Share, place: Place) -> bytes | None:
    data = read_paper(share, place)
    if data is None:
        return None
    paper, newline, digest = data.partition(b"\n")
    paper += newline
    is_whole = digest.strip() == hashlib.sha256(paper).hexdigest().encode()
    return paper if is_whole else None


def _is_ours(value: object) -> bool:
    """Tell whether a relay could have written it, as to its places and numbers."""
    if isinstance(value, Place):
        return is_file_path(value.path)
    if isinstance(value, int):
        return INT64_MIN <= value <= UINT64_MAX
    if isinstance(value, msgspec.Struct):
        return all(_is_ours(getattr(value, name)) for name in value.__struct_fields__)
    return not isinstance(value, tuple) or all(map(_is_ours, value))


def save_paper(share: Share, place: Place, paper: msgspec.Struct) -> None:
    """Write the paper durably and whole."""
    try:
        share.write(place, paper_bytes(paper))
    except IsADirectoryError:
        # Nothing of ours; out of the way, it harms nobody.
        share.rename_new(place, place.beside(f"{place.name}{UNREADABLE_SUFFIX}"))
        share.write(place, paper_bytes(paper))


def file_paper(share: Share, folder: str, node: str, run: str, data: bytes) -> None:
    """Write a paper of a run, durably and whole, where those of all runs stay.

    These folders grow for years: what a crash leaves is looked for above them.
    """
    place = state(folder, node, f"{run}.json")
    moment = state(folder, f".paxect-{run}.tmp")
    try:
        stream = share.create(moment)
    except PermissionError:
        # Somebody else's, who made this node's own below it.
        share.write(place, data)
        return
    try:
        with About(moment), stream:
            write_all(stream, data)
            share.sync(stream)
        share.prepare_folders([place.folder])
        share.rename_new(moment, place)
    except BaseException:
        with contextlib.suppress(OSError):
            share.remove(moment)
        raise
    share.sync_folder(place.folder)


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
