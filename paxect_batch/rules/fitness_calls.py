"""Fitness of the calls that the relay makes, each by what rests on it; pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from paxect_batch.model.fitness import Calls, Finding, Level, Trial


class Expectation(msgspec.Struct, frozen=True):
    """What a trial tells if it held or not, how bad that is, and what rests on it."""

    held: str
    broken: str
    level: Level
    """Of the finding, if it did not hold."""
    means: str
    advice: str = ""
    means_held: str = ""
    """What it means that it held, where that reads otherwise."""


_MOUNT_ADVICE = (
    "mount with the server's defaults; if that is so already, use another share"
)
_OTHER_SHARE = "use another share; see docs/doctor.md for what is known to hold"

EXPECTATIONS = {
    "read_back": Expectation(
        "what was written and synced reads back",
        "what was written and synced does not read back",
        Level.UNFIT,
        "every container is read back before its source may go",
        _OTHER_SHARE,
    ),
    "rewritten": Expectation(
        "bytes that change in place are read by the next open",
        "bytes that changed in place are not read by the next open",
        Level.UNFIT,
        "heartbeats change in place, and a node that beats would pass for dead",
        _MOUNT_ADVICE,
    ),
    "listed": Expectation(
        "own changes stand in the next listing",
        "own changes do not stand in the next listing",
        Level.UNFIT,
        "files are found by listing folders, and a run would end before its work does",
        _MOUNT_ADVICE,
    ),
    "sync_folder": Expectation(
        "folders can be synced",
        "folders cannot be synced",
        Level.CARE,
        "a rename counts once its folder is synced; without that a power failure of "
        "the server may undo its last seconds, and what a consumer took in these is "
        "delivered to it again",
        "see that the server writes renames at once (NFS: `sync` in its exports)",
    ),
    "exclusive": Expectation(
        "a name is created by one maker only",
        "a name can be created twice",
        Level.UNFIT,
        "a claim is a file that one node alone can make",
        _OTHER_SHARE,
    ),
    "exclusive_race": Expectation(
        "of several threads that create one name, one succeeds",
        "several threads that create one name do not leave one winner",
        Level.UNFIT,
        "a claim is a file that one node alone can make",
        _OTHER_SHARE,
    ),
    "replaced": Expectation(
        "a rename takes the place of an existing file",
        "a rename does not take the place of an existing file",
        Level.UNFIT,
        "what is kept on the share about items is replaced whole",
        _OTHER_SHARE,
    ),
    "replaced_open": Expectation(
        "that works while someone reads the old file",
        "that is refused while someone reads the old file",
        Level.NOTE,
        "SMB does so; the relay tries again for a third of a second",
        means_held="what nodes keep for each other is replaced while others read it",
    ),
    "kept": Expectation(
        "a rename that must not replace leaves the existing file alone",
        "a rename that must not replace replaced the existing file",
        Level.UNFIT,
        "files are published so; what a consumer has not taken yet would be lost",
        _OTHER_SHARE,
    ),
    "moved": Expectation(
        "a rename to a free name moves the file",
        "a rename to a free name does not move the file",
        Level.UNFIT,
        "recovery tells by the staged name whether a file was published",
        _OTHER_SHARE,
    ),
    "in_one_call": Expectation(
        "to look and to rename is one call",
        "to look and to rename are two calls",
        Level.NOTE,
        "as on NFS: what others create in the outbox within that instant is replaced; "
        "nodes are kept apart by claims",
        "let nobody but the relay make files in the outbox and the wire",
        "nobody else's file can come between the two",
    ),
    "removed_open": Expectation(
        "a file that is removed while open is gone",
        "a file that is removed while open stays in its folder",
        Level.NOTE,
        "as on NFS, under another name that is never an item, and on SMB; it goes when "
        "the file is closed",
        means_held="no other names come up in folders",
    ),
    "taken_over": Expectation(
        "a marker can be renamed aside and made anew",
        "a marker cannot be renamed aside and made anew",
        Level.UNFIT,
        "that is how a dead node's items are taken over",
        _OTHER_SHARE,
    ),
    "flock": Expectation(
        "locks of the system hold between processes here",
        "locks of the system do not hold between processes here",
        Level.NOTE,
        "nothing rests on them: leases and claims are markers, and the lock between "
        "runs on one machine lies on that machine",
    ),
    "soft_lock": Expectation(
        "filelock's soft locks hold between processes here",
        "filelock's soft locks do not hold between processes here",
        Level.NOTE,
        "nothing rests on them: markers are made likewise, and closed at once",
    ),
    "link": Expectation(
        "hard links can be made",
        "hard links cannot be made",
        Level.NOTE,
        "a lease that was taken aside by mistake is put back by a link; without links "
        "its node begins anew, and loses nothing",
        means_held="a lease that was taken aside by mistake can be put back",
    ),
}
"""By the field of `Calls`."""


def call_findings(calls: Calls) -> Iterator[Finding]:
    """Judge each call."""
    for name, expectation in EXPECTATIONS.items():
        yield trial_finding(name, getattr(calls, name), expectation)


def trial_finding(code: str, trial: Trial, expectation: Expectation) -> Finding:
    """Judge one trial by what was expected of it."""
    if trial.held:
        means = expectation.means_held or expectation.means
        return Finding(code, Level.OK, expectation.held, means)
    return Finding(
        code,
        expectation.level,
        f"{expectation.broken}: {trial.met}",
        expectation.means,
        expectation.advice,
    )
