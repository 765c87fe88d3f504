"""Fitness of what two machines see of each other; pure."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.fitness import Finding, Level, Peer, Probed
from paxect_batch.rules.fitness_calls import Expectation, trial_finding
from paxect_batch.rules.fitness_measures import clock_finding

ROUND_TRIP_NOTE_SECONDS = 0.5
ROUND_TRIP_CARE_SECONDS = 2.0
"""A heartbeat must pass from machine to machine well within a lease."""
LISTING_LATE_SECONDS = 2.0

_DEFAULT_CACHE = "mount on both machines with the default caches"

EXPECTATIONS = {
    "exclusive": Expectation(
        "of two machines that create one name at once, one succeeds",
        "two machines that create one name at once do not leave one winner",
        Level.UNFIT,
        "a claim is a file that one node alone can make",
        "use another share, or one node only",
    ),
    "marker": Expectation(
        "the peer's marker keeps this machine out and names its owner",
        "the peer's marker does not keep this machine out, or cannot be read",
        Level.UNFIT,
        "a claim is such a marker",
        _DEFAULT_CACHE,
    ),
    "taken_over": Expectation(
        "a marker that the peer took over is seen to be lost",
        "a marker that the peer took over does not look lost here",
        Level.UNFIT,
        "a node that was taken for dead must notice before it publishes anything",
        _DEFAULT_CACHE,
    ),
    "rewritten": Expectation(
        "bytes that the peer changes are read by the next open",
        "bytes that the peer changes are not read by the next open",
        Level.UNFIT,
        "heartbeats are such bytes; a node that beats would pass for dead",
        _DEFAULT_CACHE,
    ),
    "grown": Expectation(
        "a file that the peer appends to shows its new size to the next open",
        "a file that the peer appends to does not show its new size",
        Level.UNFIT,
        "so the relay tells a file that is still being written",
        _DEFAULT_CACHE,
    ),
    "freshened": Expectation(
        "a listing is fresh once this machine changed the folder",
        "a listing stays old even when this machine changes the folder",
        Level.CARE,
        "a run may say that nothing is left while a new file waits; the next run "
        "takes it",
        _DEFAULT_CACHE,
        "a run does so before it says that nothing is left",
    ),
    "kept": Expectation(
        "a rename leaves alone what the peer made just before",
        "a rename replaced what the peer had made just before",
        Level.CARE,
        "between nodes claims prevent that; what anybody else makes in the outbox or "
        "the wire at that instant would be lost",
        "let nobody but the relay make files in the outbox and the wire",
        "what others make in the outbox stays",
    ),
    "flock": Expectation(
        "locks of the system hold between the machines",
        "locks of the system do not hold between the machines",
        Level.NOTE,
        "leases and claims rest on markers and do not need them",
    ),
    "soft_lock": Expectation(
        "filelock's soft locks hold between the machines",
        "filelock's soft locks do not hold between the machines",
        Level.NOTE,
        "nothing rests on them: markers are made likewise, and closed at once",
    ),
}
"""By the field of `Peer`."""


def peer_findings(probed: Probed, *, network: bool) -> Iterator[Finding]:
    """Judge what two machines saw, or that there were none."""
    if probed.peer is None:
        yield _alone_finding(probed, network=network)
        return
    peer = probed.peer
    yield _met_finding(peer, network=network)
    if peer.same_host_name:
        yield Finding(
            "same_host_name",
            Level.UNFIT if network else Level.CARE,
            f"both machines call themselves {peer.host!r}",
            "an NFS server takes them for one machine that was started again: both "
            "hold one lock, and each loses what the other has open",
            "give each machine its own host name",
        )
    if peer.lost_at:
        yield Finding(
            "peer_lost",
            Level.CARE,
            f"the peer was heard no more while both were {peer.lost_at}",
            "what comes after that was not tried",
            "see what it said, and run both again",
        )
    for name, expectation in EXPECTATIONS.items():
        trial = getattr(peer, name)
        if trial is not None:
            yield trial_finding(f"peer_{name}", trial, expectation)
    yield from _span_findings(peer)


def _alone_finding(probed: Probed, *, network: bool) -> Finding:
    level = Level.CARE if network else Level.NOTE
    advice = (
        f"run at the same time on two machines: paxect-batch doctor --peer "
        f"{probed.share}"
    )
    means = "locks, caches and clocks between machines were not tried"
    if probed.peer_asked:
        return Finding(
            "no_peer",
            Level.CARE,
            f"no peer came within {probed.waited_seconds:.0f} s",
            f"{means}; if one was started, the two do not see the same folder",
            f"{advice}; give the other more time with --peer-seconds",
        )
    return Finding(
        "alone", level, "only this machine looked", means, advice if network else ""
    )


def _met_finding(peer: Peer, *, network: bool) -> Finding:
    if not peer.same_machine:
        return Finding(
            "peer",
            Level.OK,
            f"a peer ran at the same time on {peer.host!r}",
            "what follows was tried between the two, as seen from here",
        )
    return Finding(
        "peer",
        Level.CARE if network else Level.NOTE,
        "the peer ran on this same machine",
        "what follows holds between processes here, and says nothing about others",
        "run the peer on another machine" if network else "",
    )


def _span_findings(peer: Peer) -> Iterator[Finding]:
    trip = peer.round_trip_seconds
    if trip is not None:
        level = Level.OK
        if trip > ROUND_TRIP_CARE_SECONDS:
            level = Level.CARE
        elif trip > ROUND_TRIP_NOTE_SECONDS:
            level = Level.NOTE
        yield Finding(
            "round_trip",
            level,
            f"a few bytes there and back take {trip:.3f} s",
            "a heartbeat takes half of that to be seen; a lease lasts several seconds",
            "" if level is Level.OK else "see why the share is slow",
        )
    if peer.ahead_seconds is not None:
        yield clock_finding(
            "peer_clock",
            "the peer's clock",
            peer.ahead_seconds,
            give_or_take=(trip or 0.0) / 2,
        )
    if peer.seen_after_seconds is not None:
        late = peer.seen_after_seconds > LISTING_LATE_SECONDS
        found = (
            f"a new file of the peer was listed after {peer.seen_after_seconds:.1f} s"
        )
    elif peer.freshened is not None:
        late = True
        found = (
            f"a new file of the peer was not listed within {peer.watched_seconds:.0f} s"
        )
    else:
        return
    yield Finding(
        "visible",
        Level.NOTE if late else Level.OK,
        found,
        "the relay freshens a folder before it says that nothing is left",
        "for a shorter wait in `watch`, mount NFS with a smaller acdirmin and acdirmax"
        if late
        else "",
    )
