"""Fitness: from what probes found out about a share to a verdict on it; pure.

The worst finding decides: any that is unfit makes the share not fit, any that asks for
care makes it fit with care, and all others change nothing. Safety does not rest on
locks, but on files that appear once, keep what was synced, and are replaced only when
that was meant; so what breaks these is unfit, whatever the locks do.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.errors import Exit
from paxect_batch.model.fitness import (
    Finding,
    Fitness,
    Level,
    Lock,
    Probed,
    Trial,
    Verdict,
)
from paxect_batch.rules.fitness_calls import call_findings
from paxect_batch.rules.fitness_measures import (
    name_findings,
    space_findings,
    speed_findings,
    time_findings,
    writers_finding,
)
from paxect_batch.rules.fitness_mount import is_network, mount_findings
from paxect_batch.rules.fitness_peer import peer_findings

LOCKS_KNOWN = frozenset({Lock.MARKERS})
"""What this version's claims and leases can rest on."""

_EXITS = {
    Verdict.FIT: Exit.OK,
    Verdict.CARE: Exit.UNFINISHED,
    Verdict.UNFIT: Exit.SHARE,
}


def diagnose(probed: Probed) -> Fitness:
    """Return what the relay can expect of a share."""
    locks = choose_locks(probed)
    findings = tuple(_findings(probed, locks))
    levels = {finding.level for finding in findings}
    verdict = Verdict.FIT
    if Level.UNFIT in levels:
        verdict = Verdict.UNFIT
    elif Level.CARE in levels:
        verdict = Verdict.CARE
    return Fitness(
        verdict=verdict,
        exit_code=int(_EXITS[verdict]),
        locks=locks,
        pinned=probed.pinned,
        findings=findings,
        probed=probed,
    )


def choose_locks(probed: Probed) -> Lock | None:
    """Return what claims can rest on: markers, unless they fail; None if all does."""
    calls, peer = probed.calls, probed.peer
    if calls is None:
        return None
    markers: list[Trial | None] = [
        calls.exclusive,
        calls.exclusive_race,
        calls.rewritten,
        calls.taken_over,
    ]
    if peer is not None:
        markers += [peer.exclusive, peer.rewritten, peer.marker, peer.taken_over]
    if _all_held(markers):
        return Lock.MARKERS
    # What two processes of one machine do says nothing about two machines.
    between = peer.flock if peer is not None and not peer.same_machine else None
    if calls.flock.held and between is not None and between.held:
        return Lock.FLOCK
    return None


def is_known(locks: str) -> bool:
    """Tell whether nodes of this version can work on a share that pins these locks."""
    return locks in LOCKS_KNOWN


def _all_held(trials: list[Trial | None]) -> bool:
    """Tell whether nothing failed; what was not tried did not."""
    return all(trial is None or trial.held for trial in trials)


def _findings(probed: Probed, locks: Lock | None) -> Iterator[Finding]:
    yield from _layout_findings(probed)
    yield from mount_findings(probed.mount)
    if not probed.writable.held:
        yield Finding(
            "not_writable",
            Level.UNFIT,
            f"nothing can be written to the share: {probed.writable.met}",
            "every step of the relay writes to it",
            "mount it read-write, and let this user write to SHARE and SHARE/.paxect",
        )
        return
    if probed.apart:
        yield Finding(
            "apart",
            Level.NOTE,
            f"no rename leads from .paxect into: {', '.join(probed.apart)}",
            "they are other mounts; the relay stages its files beside their targets",
        )
    if probed.calls is not None:
        yield from call_findings(probed.calls)
        yield _lock_finding(locks)
    if probed.names is not None:
        yield from name_findings(probed.names)
    if probed.times is not None:
        yield from time_findings(probed.times)
    if probed.writers is not None:
        yield writers_finding(probed.writers)
    if probed.space is not None:
        yield from space_findings(probed.space)
    if probed.speed is not None:
        yield from speed_findings(probed.speed)
    yield from peer_findings(probed, network=is_network(probed.mount))


def _layout_findings(probed: Probed) -> Iterator[Finding]:
    if not probed.marked:
        yield Finding(
            "not_laid_out",
            Level.NOTE,
            f"{probed.share} is a folder, but not laid out as a share yet",
            "if it should be one, its mount is missing: this is what lies under it",
            f"see that the right thing is mounted, then: paxect-batch init "
            f"{probed.share}",
        )
    if probed.pinned is not None and not is_known(probed.pinned):
        yield Finding(
            "pinned_unknown",
            Level.UNFIT,
            f"the share's configuration says that locks rest on {probed.pinned!r}",
            "this version does not know these locks and refuses to work here",
            "use the version that pinned them, or take `locks` out of "
            ".paxect/share.json while no node runs",
        )


def _lock_finding(locks: Lock | None) -> Finding:
    if locks is Lock.MARKERS:
        return Finding(
            "locks",
            Level.OK,
            "claims can rest on markers",
            "a node makes a file that nobody else can make, keeps a heartbeat beside "
            "it, and loses it by a rename once the heartbeat stops",
        )
    held = "locks of the file server held, and nothing here uses them"
    return Finding(
        "locks",
        Level.UNFIT,
        f"claims cannot rest on markers; {'no lock held' if locks is None else held}",
        "nodes would take each other's files, and do all work twice",
        "run one node only, or use another share",
    )
