"""Show what waits, what is in flight, what was set aside, and the last run.

Looks only: nothing is written, so it may be run beside anything, on a share that is
mounted read-only as well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.opened import Opened, open_share
from paxect_batch.cli.quarantine import reasons
from paxect_batch.model.audit import Audit
from paxect_batch.model.errors import Exit
from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Attempts, Intent
from paxect_batch.relay import state
from paxect_batch.relay.scan import scan
from paxect_batch.relay.stamps import utc
from paxect_batch.report.amounts import clip, clip_end, count_text, size_text, time_text
from paxect_batch.rules.naming import is_container, is_sidecar
from paxect_batch.seams import Share

_SHOWN_MAX = 5
_COLUMNS = 80


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
    share = opened.share
    return ShareFacts(
        share=opened.layout.words,
        waiting=_heap(share, Root.INBOX, containers=False),
        wire=_heap(share, Root.WIRE, containers=True),
        in_flight=[*_claims(share), *_intents(share)],
        backing_off=list(_backing_off(share)),
        set_aside=[
            msgspec.to_builtins(reason)
            for reason in sorted(reasons(share), key=lambda reason: reason.at)
        ],
        last_run=last_run(share),
    )


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


def _heap(share: Share, root: Root, *, containers: bool) -> Heap:
    heap = Heap()
    for entry in scan(share, root):
        name = entry.place.name
        if is_sidecar(name) or is_container(name) is not containers:
            continue
        facts = share.look(entry.place)
        if facts is not None and facts.kind is Kind.FILE:
            heap.add(facts.identity.size)
    return heap


def _claims(share: Share) -> Iterator[InFlight]:
    for place in state.files_in(share, state.state("claims")):
        facts = share.look(place)
        owner = share.read(place, 4096)
        if facts is not None and owner is not None:
            words = owner.decode("utf-8", "replace").split()
            since = facts.identity.mtime_ns / 1e9
            yield InFlight("claim", since, 1, " on ".join(words[:2]))


def _intents(share: Share) -> Iterator[InFlight]:
    for node in share.entries(state.state("intents")):
        for place in state.files_in(share, node.place):
            intent = state.load_paper(share, place, Intent)
            facts = share.look(place)
            if intent is not None and facts is not None:
                since = facts.identity.mtime_ns / 1e9
                yield InFlight("intent", since, len(intent.pledges), intent.node)


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
        age = time_text(max(now - each.since, 0.0))
        text = f"  {each.what} of {each.owner}: {count_text(each.files, 'file')}"
        yield clip(f"{text}, since {utc(each.since)} ({age})", _COLUMNS)
    yield f"backing off {count_text(len(facts.backing_off), 'file')}"
    for attempts in facts.backing_off[:_SHOWN_MAX]:
        last = attempts.failures[-1].code if attempts.failures else "?"
        times = count_text(len(attempts.failures), "attempt")
        yield clip(f"  {attempts.source}: {last}, {times}", _COLUMNS)
    yield f"set aside   {count_text(len(facts.set_aside), 'file')}"
    for reason in facts.set_aside[-_SHOWN_MAX:]:
        yield clip_end(f"  {reason['id']}: {_why(reason)}", _COLUMNS)
    yield f"last run    {_run_text(facts.last_run)}"


def _heap_text(heap: Heap) -> str:
    return f"{count_text(heap.files, 'file')}, {size_text(heap.bytes)}"


def _in_flight_text(in_flight: list[InFlight], *, now: float) -> str:
    if not in_flight:
        return "nothing"
    oldest = min(each.since for each in in_flight)
    age = time_text(max(now - oldest, 0.0))
    return f"{len(in_flight):,} claims and intents, the oldest for {age}"


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
