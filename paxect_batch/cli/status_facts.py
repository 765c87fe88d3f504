"""Gather how a share stands, without writing anything.

What one looks at changes meanwhile, so the order matters: leases are watched from
before the first look to after the last; claims and intents come before files, since a
file that is claimed later is no more than waiting; and what seems to be nobody's is
looked at again, for its run may have ended in between.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from paxect_batch.cli.opened import Opened
from paxect_batch.cli.policy_file import PolicyFile
from paxect_batch.cli.quarantine import reasons
from paxect_batch.cli.status_nodes import LeaseWatch, node_statuses
from paxect_batch.cli.visible import VisibleShare
from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.errors import ConfigError
from paxect_batch.model.items import Direction, Item, Kind
from paxect_batch.model.moments import utc
from paxect_batch.model.places import Place, Root, to_text
from paxect_batch.model.policy import Policy
from paxect_batch.model.status import (
    Hold,
    InFlight,
    Life,
    NodeStatus,
    Rescue,
    ShareStatus,
)
from paxect_batch.model.transfer import Attempts
from paxect_batch.relay import state
from paxect_batch.relay.admit import Admitter, Done
from paxect_batch.relay.leavings import LeftBehind
from paxect_batch.relay.scan import scan
from paxect_batch.report.families import ended_at
from paxect_batch.rules.naming import is_container, is_sidecar
from paxect_batch.rules.retry import is_exhausted
from paxect_batch.seams import Share
from paxect_batch.world.claim_owners import owner_in
from paxect_batch.world.claims import is_marker, marker_name
from paxect_batch.world.share import LocalShare

_MARKER_BYTES_MAX = 4096

WatchMaker = Callable[[LocalShare, float], LeaseWatch]


def share_status(
    opened: Opened,
    *,
    watch_leases: WatchMaker = LeaseWatch,
    now: Callable[[], float] = time.time,
) -> ShareStatus:
    """Look at the share."""
    share, layout = VisibleShare(opened.share.roots), opened.layout
    watch = watch_leases(share, layout.lease_seconds)
    policy, problem = _policy(opened)
    markers = dict(_markers(share, now=now()))
    intents = dict(_intents(share, now=now()))
    watch.include(each.node for each in (*markers.values(), *intents.values()))
    heaps = {root: _Heap() for root in (Root.INBOX, Root.WIRE)}
    claimed = _Claimed(opened, policy, markers) if policy and markers else None
    for item in _items(share, in_place=layout.in_place):
        decodes = item.direction is Direction.DECODE
        heaps[Root.WIRE if decodes else Root.INBOX].add(item)
        if claimed is not None:
            claimed.note(item)
    if claimed is not None:
        markers = {name: claimed.told(name, each) for name, each in markers.items()}
    found = watch.finish()
    nodes = node_statuses(found, Counter())
    over = watch.over(nodes)
    holders = _Holders(nodes, over)
    flights = [
        told
        for place, each in (*markers.items(), *intents.items())
        if (told := _confirmed(share, place, each, holders)) is not None
    ]
    claims = Counter(each.run for each in flights if each.what is Hold.CLAIM)
    tried = list(_tried(share))
    last = last_run(share)
    return ShareStatus(
        share=layout.share or layout.words,
        waiting=heaps[Root.INBOX].tally,
        wire=heaps[Root.WIRE].tally,
        waiting_seconds=heaps[Root.INBOX].age_seconds(now()),
        wire_seconds=heaps[Root.WIRE].age_seconds(now()),
        nodes=node_statuses(found, claims),
        over=over,
        mixed=_mixed(share, nodes),
        in_flight=tuple(sorted(flights, key=lambda each: each.since)),
        backing_off=tuple(each for each in tried if not is_exhausted(each)),
        given_up=tuple(each for each in tried if is_exhausted(each)),
        set_aside=tuple(sorted(reasons(share), key=lambda reason: reason.at)),
        last_run=last,
        policy_problem=problem,
    )


def last_run(share: Share) -> Audit | None:
    """Return the audit of the run that ended last."""
    nodes = list(state.folders_in(share, state.state("runs")))
    audits = [_last_run_of(share, node) for node in nodes]
    return max(
        filter(None, audits), key=lambda audit: ended_at(audit) or 0.0, default=None
    )


def _last_run_of(share: Share, node: Place) -> Audit | None:
    """Return the last audit of a node, which has one run at a time.

    The ids of runs begin with their time.
    """
    places = state.files_in(share, node)
    for place in sorted(places, key=lambda place: place.name, reverse=True):
        audit = state.load_paper(share, place, Audit)
        if audit is not None:
            return audit
    return None


def _policy(opened: Opened) -> tuple[Policy | None, str]:
    try:
        return PolicyFile(opened.settings, opened.layout)(), ""
    except ConfigError as error:
        return None, error.message


class _Heap:
    def __init__(self) -> None:
        self._files = self._bytes = 0
        self._oldest: int | None = None

    def add(self, item: Item) -> None:
        self._files += 1
        self._bytes += item.size
        # Renaming a file into the inbox leaves its mtime as old as it was.
        changed = item.facts.ctime_ns or item.identity.mtime_ns
        self._oldest = min(changed, self._oldest or changed)

    def age_seconds(self, now: float) -> float:
        """Return how long ago the file that rests longest was changed last."""
        return 0.0 if self._oldest is None else _age(self._oldest / 1e9, now)

    @property
    def tally(self) -> Tally:
        return Tally(self._files, self._bytes)


def _items(share: Share, *, in_place: bool) -> Iterator[Item]:
    """Give what lies in the inbox and on the wire, in any state."""
    for root in (Root.INBOX,) if in_place else (Root.INBOX, Root.WIRE):
        for entry in scan(share, root):
            name = entry.place.name
            wire = is_container(name) and (in_place or root is Root.WIRE)
            if is_sidecar(name) or (root is Root.WIRE and not wire):
                continue
            facts = share.look(entry.place)
            if facts is not None and facts.kind is Kind.FILE:
                direction = Direction.DECODE if wire else Direction.ENCODE
                yield Item(direction, entry.place, facts)


# -- claims and intents


class _Claimed:
    """Finds the files that claims are on."""

    def __init__(
        self, opened: Opened, policy: Policy, markers: dict[Place, InFlight]
    ) -> None:
        self._places = {place.name: place for place in markers}
        self._items: dict[Place, list[Item]] = {}
        self._admitter = Admitter(
            opened.share,
            policy,
            in_place=opened.layout.in_place,
            aliases=True,
            node="",
            now=time.time,
            done=Done(),
            trust=None,
            left=LeftBehind(opened.share),
            looks_only=True,
        )

    def note(self, item: Item) -> None:
        """Take in a file that is there."""
        name = marker_name(self._admitter.claim_key(item.direction, item.source))
        if name in self._places:
            self._items.setdefault(self._places[name], []).append(item)

    def told(self, place: Place, claim: InFlight) -> InFlight:
        """Return the claim with its file, if it can be told which one that is."""
        items = self._items.get(place, [])
        # Once the container of a source is there, the claim is on that.
        items = [each for each in items if each.direction is Direction.DECODE] or items
        # Of two sources with one container either may be the one.
        if len(items) != 1:
            return claim
        return msgspec.structs.replace(
            claim, source=items[0].source, bytes=items[0].size
        )


def _markers(share: Share, *, now: float) -> Iterator[tuple[Place, InFlight]]:
    for place in state.files_in(share, state.state("claims")):
        if not is_marker(place.name):
            continue
        since = _written_at(share, place)
        data = share.read(place, _MARKER_BYTES_MAX)
        if since is None or data is None:
            continue
        node, run = owner_in(data) or ("", "")
        yield (
            place,
            InFlight(
                what=Hold.CLAIM,
                since=utc(since),
                age_seconds=_age(since, now),
                files=1,
                bytes=0,
                node=to_text(os.fsencode(node)),
                run=run,
                life=Life.GONE,
                source=None,
            ),
        )


def _intents(share: Share, *, now: float) -> Iterator[tuple[Place, InFlight]]:
    for node in state.folders_in(share, state.state("intents")):
        for place in state.intents_of(share, node.name):
            since = _written_at(share, place)
            intent = state.load_intent(share, place)
            if intent is None or since is None:
                continue
            yield (
                place,
                InFlight(
                    what=Hold.INTENT,
                    since=utc(since),
                    age_seconds=_age(since, now),
                    files=len(intent.pledges),
                    bytes=sum(pledge.identity.size for pledge in intent.pledges),
                    node=intent.node,
                    run=intent.run,
                    life=Life.GONE,
                    source=intent.pledges[0].source if intent.pledges else None,
                ),
            )


def _written_at(share: Share, place: Place) -> float | None:
    facts = share.look(place)
    return None if facts is None else facts.identity.mtime_ns / 1e9


def _age(since: float, now: float) -> float:
    return round(max(now - since, 0.0), 1)


class _Holders:
    """Tells whether the run lives that holds something."""

    def __init__(self, nodes: tuple[NodeStatus, ...], over: tuple[Rescue, ...]) -> None:
        self._lives = {each.run: Life.OVER for each in over}
        for node in nodes:
            if node.lease is not None:
                self._lives[node.lease.run] = node.life

    def life(self, run: str) -> Life:
        """Return what is known of the run."""
        return self._lives.get(run, Life.GONE)


def _confirmed(
    share: Share, place: Place, flight: InFlight, holders: _Holders
) -> InFlight | None:
    """Return what is in flight with the state of its run; None if it came to an end."""
    life = holders.life(flight.run)
    is_doubtful = life is Life.GONE or flight.source is None
    if is_doubtful and not _is_still_there(share, place, flight):
        return None
    return msgspec.structs.replace(flight, life=life)


def _is_still_there(share: Share, place: Place, flight: InFlight) -> bool:
    if flight.what is Hold.INTENT:
        return share.look(place) is not None
    data = share.read(place, _MARKER_BYTES_MAX)
    return data is not None and (owner_in(data) or ("", ""))[1] == flight.run


# -- what else there is to know


def _mixed(share: Share, nodes: tuple[NodeStatus, ...]) -> tuple[str, ...]:
    """Return the codecs and policies of the batch, if there is more than one pair.

    Those of runs that ended count as long as their batch goes on.
    """
    leases = [each.lease for each in nodes if each.lease is not None]
    used = {(lease.codec, lease.policy_sha256) for lease in leases}
    living = {lease.batch for lease in leases}
    for batch in state.folders_in(share, state.state("batches")):
        if batch.name in living:
            runs = [place.name for place in state.files_in(share, batch)]
            used.update((run.codec, run.policy_sha256) for run in _audits(share, runs))
    if len(used) <= 1:
        return ()
    return tuple(f"{codec}, policy {policy[:12]}" for codec, policy in sorted(used))


def _audits(share: Share, runs: list[str]) -> Iterator[Audit]:
    """Give the audits of those of the runs that ended."""
    for node in state.folders_in(share, state.state("runs")):
        for run in runs:
            audit = state.load_paper(share, node.child(f"{run}.json"), Audit)
            if audit is not None:
                yield audit


def _tried(share: Share) -> Iterator[Attempts]:
    for place in state.files_in(share, state.state("attempts")):
        attempts = state.load_paper(share, place, Attempts)
        if attempts is not None and attempts.failures:
            yield attempts
