"""Leases: by what a node's run shows that it lives, and what it says while it does."""

from __future__ import annotations

import msgspec

from paxect_batch.model.numbers import Count

RUN_BYTES_MAX = 120
"""The longest id of a run; two of them make a name."""


class Machine(msgspec.Struct, frozen=True):
    """The machine and process that a run is on, as far as they can be told apart."""

    host: str
    machine: str
    """Stays over a reboot; a copied virtual machine has the same."""
    boot: str
    """New with each boot."""
    pid: int
    started: str
    """When the process began, so that a pid that is used again is told apart."""


class Word(msgspec.Struct, frozen=True):
    """What a run says of itself with each beat."""

    doing: str = "starting"
    waits_for: str = ""
    claims: Count = 0
    in_flight_bytes: Count = 0
    delivered_files: Count = 0
    delivered_bytes: Count = 0
    files_per_second: float = 0.0
    last: str = ""
    """Its last event, for a person."""


class Lease(msgspec.Struct, frozen=True):
    """`.paxect/nodes/NODE/lease`: that this run is the node, as long as it beats.

    The run is the lease's generation: it is new with every lease, and claims, intents
    and records carry it.
    """

    node: str
    run: str
    batch: str
    """Empty until the run saw who else is there."""
    machine: Machine
    seconds: float
    """After so long without a beat it is over."""
    since: str
    codec: str = ""
    policy_sha256: str = ""
    allow_mixed: bool = False
    beat: int = 0
    word: Word = Word()


def is_name(text: str, *, bytes_max: int = 255) -> bool:
    """Tell whether a folder or file may have the name, in any system's tree."""
    if text in ("", ".", "..") or any(sign in text for sign in "/\\\0"):
        return False
    try:
        return len(text.encode()) <= bytes_max
    except UnicodeEncodeError:
        return False  # no text, as a listing may have it


class Over(msgspec.Struct, frozen=True):
    """A run whose lease is over, and whose business is not finished yet."""

    node: str
    run: str
