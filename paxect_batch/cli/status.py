"""Show what waits, what is in flight, what was set aside, and the last run.

Looks only: nothing is written, so it may be run beside anything, on a share that is
mounted read-only as well.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sized

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.opened import Opened, open_share
from paxect_batch.cli.policy_file import PolicyFile
from paxect_batch.cli.quarantine import reasons
from paxect_batch.model.audit import Audit
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.items import Direction, Item, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Attempts, Intent
from paxect_batch.relay import state
from paxect_batch.relay.admit import Admitter, Distrust, Done
from paxect_batch.relay.scan import scan
from paxect_batch.relay.stamps import utc
from paxect_batch.report.amounts import clip, clip_end, count_text, size_text, time_text
from paxect_batch.rules.naming import claim_key, is_container, is_sidecar
from paxect_batch.seams import Share
from paxect_batch.world.claims import marker_name

_SHOWN_MAX = 5
_COLUMNS = 80
_DAY_SECONDS = 86400.0


def command(arguments: Arguments) -> int:
    """Print how the share stands."""
    opened = open_share(arguments)
    facts = share_facts(opened)
    if opened.settings.json:
        console.say(json.dumps(facts.to_builtins(), sort_keys=True, indent=1))
    else:
        console.say("\n".join(_lines(facts, now=time.time())))
    return Exit.OK


class Heap(msgspec.Struct):
    """Files in one place."""

    files: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Count one more."""
        self.files += 1
        self.bytes += size


class InFlight(msgspec.Struct, frozen=True):
    """Something that a node is at, or left behind."""

    what: str
    since: float
    """When it was written, by the share's clock."""
    files: int
    owner: str
    source: str = ""
    """The file, or the first of them, if that can be told."""


class ShareFacts(msgspec.Struct, kw_only=True):
    """How a share stands."""

    share: str
    waiting: Heap
    """Files in the inbox."""
    wire: Heap
    """Containers that lie between encode and decode."""
    in_flight: list[InFlight]
    backing_off: list[Attempts]
    set_aside: list[dict[str, object]]
    last_run: Audit | None
    policy_problem: str
    """Why no run would begin with the policy as it is; empty if one would."""

    def to_builtins(self) -> dict[str, object]:
        """Return what JSON can hold; times as text."""
        facts: dict[str, object] = msgspec.to_builtins(self)
        facts["in_flight"] = [
            msgspec.to_builtins(each) | {"since": utc(each.since)}
            for each in self.in_flight
        ]
        return facts


def share_facts(opened: Opened) -> ShareFacts:
    """Look at the share."""
    share, layout = opened.share, opened.layout
    policy, problem = _policy(opened)
    # Markers first: an item that is claimed later is no more than waiting.
    markers = dict(_markers(share))
    namer = _Namer(opened, policy) if policy is not None and markers else None
    heaps = {root: Heap() for root in (Root.INBOX, Root.WIRE)}
    sources: dict[str, str] = {}
    for item in _items(share, in_place=layout.in_place):
        wire = item.direction is Direction.DECODE
        heaps[Root.WIRE if wire else Root.INBOX].add(item.size)
        if namer is not None:
            sources[namer.marker(item)] = str(item.source)
    claims = [
        msgspec.structs.replace(claim, source=sources.get(name, ""))
        for name, claim in markers.items()
    ]
    return ShareFacts(
        share=layout.share or layout.words,
        waiting=heaps[Root.INBOX],
        wire=heaps[Root.WIRE],
        in_flight=sorted([*claims, *_intents(share)], key=lambda each: each.since),
        backing_off=list(_backing_off(share)),
        set_aside=[
            msgspec.to_builtins(reason)
            for reason in sorted(reasons(share), key=lambda reason: reason.at)
        ],
        last_run=last_run(share),
        policy_problem=problem,
    )


def _policy(opened: Opened) -> tuple[Policy | None, str]:
    try:
        return PolicyFile(opened.settings, opened.layout)(), ""
    except ConfigError as error:
        return None, error.message


class _Namer:
    """Tells by which marker an item is claimed."""

    def __init__(self, opened: Opened, policy: Policy) -> None:
        self._admitter = Admitter(
            opened.share,
            policy,
            in_place=opened.layout.in_place,
            aliases=True,
            node="",
            now=time.time,
            done=Done(),
            distrusted=Distrust(),
        )

    def marker(self, item: Item) -> str:
        """Return the name of the item's marker."""
        return marker_name(claim_key(self._admitter.target_of(item)))


def last_run(share: Share) -> Audit | None:
    """Return the audit of the run that began last; run ids begin with their time."""
    places = [
        run
        for node in share.entries(state.state("runs"))
        for run in state.files_in(share, node.place)
    ]
    for place in sorted(places, key=lambda place: place.name, reverse=True):
        audit = state.load_paper(share, place, Audit)
        if audit is not None:
            return audit
    return None


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


def _markers(share: Share) -> Iterator[tuple[str, InFlight]]:
    for place in state.files_in(share, state.state("claims")):
        facts = share.look(place)
        owner = share.read(place, 4096)
        if facts is not None and owner is not None:
            words = owner.decode("utf-8", "replace").split()
            since = facts.identity.mtime_ns / 1e9
            owner_text = "process " + " on ".join(words[:2]) if words else "nobody"
            yield place.name, InFlight("claim", since, 1, owner_text)


def _intents(share: Share) -> Iterator[InFlight]:
    for node in share.entries(state.state("intents")):
        for place in state.intents_of(share, node.place.name):
            intent = state.load_paper(share, place, Intent)
            facts = share.look(place)
            if intent is not None and facts is not None:
                since = facts.identity.mtime_ns / 1e9
                first = str(intent.pledges[0].source) if intent.pledges else ""
                owner = f"node {intent.node}"
                yield InFlight("intent", since, len(intent.pledges), owner, first)


def _backing_off(share: Share) -> Iterator[Attempts]:
    for place in state.files_in(share, state.state("attempts")):
        attempts = state.load_paper(share, place, Attempts)
        if attempts is not None:
            yield attempts


def _lines(facts: ShareFacts, *, now: float) -> Iterator[str]:
    yield clip(f"share       {facts.share}", _COLUMNS)
    yield f"inbox       {_heap_text(facts.waiting)}"
    yield f"wire        {_heap_text(facts.wire)}"
    yield f"in flight   {_in_flight_text(facts.in_flight, now=now)}"
    for each in facts.in_flight[:_SHOWN_MAX]:
        yield _flight_line(each, now=now)
    yield from _more(facts.in_flight)
    yield f"backing off {count_text(len(facts.backing_off), 'file')}"
    for attempts in facts.backing_off[:_SHOWN_MAX]:
        last = attempts.failures[-1].code if attempts.failures else "?"
        times = count_text(len(attempts.failures), "attempt")
        due = _due_text(attempts.next_at, now=now)
        text = f"{last}, {times}, {due}"
        yield f"  {clip(str(attempts.source), _COLUMNS - len(text) - 4)}: {text}"
    yield from _more(facts.backing_off)
    yield f"set aside   {count_text(len(facts.set_aside), 'file')}"
    for reason in facts.set_aside[-_SHOWN_MAX:]:
        yield clip_end(f"  {reason['id']}: {_why(reason)}", _COLUMNS)
    yield from _more(facts.set_aside)
    if facts.policy_problem:
        yield f"policy      no run can begin: {facts.policy_problem}"
    yield f"last run    {_run_text(facts.last_run)}"


def _heap_text(heap: Heap) -> str:
    return f"{count_text(heap.files, 'file')}, {size_text(heap.bytes)}"


def _in_flight_text(in_flight: list[InFlight], *, now: float) -> str:
    if not in_flight:
        return "nothing"
    oldest = min(each.since for each in in_flight)
    age = time_text(max(now - oldest, 0.0))
    return f"{len(in_flight):,} claims and intents, the oldest for {age}"


def _flight_line(each: InFlight, *, now: float) -> str:
    age = time_text(max(now - each.since, 0.0))
    what = each.source or f"a {each.what}"
    if each.files > 1:
        what += f" and {each.files - 1:,} more"
    text = f"{each.owner}, since {utc(each.since)[11:19]}Z, for {age}"
    if now - each.since > _DAY_SECONDS:
        text = f"{each.owner}, since {utc(each.since)[:10]}, for {age}"
    return f"  {clip(what, max(_COLUMNS - len(text) - 4, 10))}: {text}"


def _more(all_of_them: Sized) -> Iterator[str]:
    if len(all_of_them) > _SHOWN_MAX:
        yield f"  and {len(all_of_them) - _SHOWN_MAX:,} more; --json shows all"


def _due_text(next_at: float, *, now: float) -> str:
    if next_at == math.inf:
        return "given up"
    if next_at <= now:
        return "due now"
    return f"due in {time_text(next_at - now)}"


def _why(reason: dict[str, object]) -> str:
    source = msgspec.convert(reason["source"], Place)
    return f"{source}: {reason['detail'] or reason['code']}"


def _run_text(audit: Audit | None) -> str:
    if audit is None:
        return "none yet"
    return (
        f"{audit.started} by {audit.node}, exit {audit.exit_code}: "
        f"{audit.delivered.files:,} of {count_text(audit.seen.files, 'file')} delivered"
    )
