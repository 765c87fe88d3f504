"""Gather the facts on which `rules.admission` decides, for each entry of a scan."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

import msgspec

from paxect_batch.model.items import (
    Direction,
    Entry,
    Facts,
    Identity,
    Item,
    Kind,
    Removal,
)
from paxect_batch.model.places import Place, Root, is_file_path
from paxect_batch.model.policy import Naming, OnDone, Policy
from paxect_batch.model.records import Fate
from paxect_batch.model.run import Decision, Verdict
from paxect_batch.model.transfer import Attempts, Meta, Outcome, Task
from paxect_batch.relay import state
from paxect_batch.relay.leavings import LEFT_BEHIND, LeftBehind
from paxect_batch.relay.markers import is_marked
from paxect_batch.relay.set_aside import is_unread, unread
from paxect_batch.relay.sightings import Sightings
from paxect_batch.relay.trust import Trust
from paxect_batch.rules import naming
from paxect_batch.rules.admission import admit
from paxect_batch.rules.retry import wait_seconds
from paxect_batch.seams import Ledger, Share
from paxect_batch.work.sources import look_at_source

_FOLDERS_KNOWN_MAX = 1024
_ATTEMPTS = state.state("attempts")


class Admitter:
    """Admits the entries of one pass, by one policy."""

    def __init__(
        self,
        share: Share,
        policy: Policy,
        *,
        in_place: bool,
        aliases: bool,
        node: str,
        now: Callable[[], float],
        done: Done,
        trust: Trust | None,
        left: LeftBehind,
        looks_only: bool = False,
    ) -> None:
        """One that `looks_only` does not try what may be taken away."""
        self._share = share
        self._policy = policy
        self._in_place = in_place
        self._aliases = aliases and policy.naming is Naming.FULL
        self._own_trust = _own_trust(policy, node)
        self._now = now
        self._done = done
        self._trust = trust
        self._looks_only = looks_only
        self.left = left
        self._removals: dict[Place, Removal] = {}
        left.learn(looks_only=looks_only)
        # Hardly any item has a history.
        self._troubled = set(_troubled(share))

    def is_item(self, entry: Entry, direction: Direction) -> bool:
        """Tell whether the entry is one to decide on, going that way."""
        name = entry.place.name
        if direction is Direction.DECODE:
            return naming.is_container(name)
        marker = self._policy.ready_marker
        if marker and name.endswith(marker):
            return False
        beside = naming.is_container(name) or naming.is_sidecar(name)
        return not (self._in_place and beside)

    def decide_all(
        self, entries: Sequence[Entry], direction: Direction
    ) -> Iterator[tuple[Item, Decision]]:
        """Decide on entries, but for those that are gone or no files after all."""
        found: dict[Place, Facts | None] = {}

        def look(entry: Entry) -> None:
            try:
                found[entry.place] = look_at_source(
                    self._share, entry.place, closely=True
                )
            except PermissionError:
                identity = unread(self._share.size_of(entry.place))
                found[entry.place] = Facts(Kind.FILE, identity, 0)

        # All at once, where each waits for a server.
        calls = [partial(look, entry) for entry in entries]
        calls += [partial(self._learn_removal, each) for each in self._unknown(entries)]
        self._share.each(lambda call: call(), calls)
        for entry in entries:
            facts = found[entry.place]
            if facts is not None and facts.kind is Kind.FILE:
                item = Item(direction, entry.place, facts)
                yield (
                    item,
                    self._of_unreadable(item)
                    if is_unread(facts.identity)
                    else self.decide(item),
                )

    def decide_own(
        self, containers: Sequence[Place]
    ) -> Iterator[tuple[Item, Decision]]:
        """Decide on containers that this run published, but for those that are gone."""
        found: dict[Place, Facts | None] = {}

        def look(container: Place) -> None:
            found[container] = look_at_source(self._share, container)

        self._share.each(look, containers)
        for container in containers:
            facts = found[container]
            if facts is not None:
                # Published whole by this node: there is nothing to settle.
                settled = msgspec.structs.replace(facts, ctime_ns=0)
                item = Item(Direction.DECODE, container, settled)
                yield item, self.decide(item, own=True)

    def is_waiting(self, direction: Direction, place: Place) -> bool:
        """Tell whether a file lies there that is not ready yet."""
        facts = look_at_source(self._share, place, closely=True)
        if facts is None or facts.kind is not Kind.FILE:
            return False
        return self.decide(Item(direction, place, facts)).verdict is Verdict.WAITING

    def decide(self, item: Item, *, own: bool = False) -> Decision:
        """Decide on an item; `own` says that this run made the container."""
        if self._own_trust:
            return Decision(Verdict.BLOCKED, self._own_trust)
        if self._policy.on_done is not OnDone.KEEP and self.left.has(item):
            return Decision(Verdict.SET_ASIDE, LEFT_BEHIND)
        attempts, trust = self.attempts_of(item), self._trust
        now = self._now()
        done = self._policy.on_done is OnDone.KEEP and self._done.has(item)
        decision = admit(
            item,
            self._policy,
            share_now=now,
            unchanged_since=None if done else self._done.unchanged_since(item, now),
            marked_ready=self._marked_ready(item),
            attempts=attempts,
            done=done,
            aliases=self._aliases,
            peer_ok="" if own or trust is None else trust.reason(item),
        )
        if decision.verdict is Verdict.ADMITTED and not (own or self._goes(item)):
            return Decision(Verdict.ADMITTED, "unremovable")
        return decision

    def _goes(self, item: Item) -> bool:
        """Tell whether the source can be taken away, or may stay.

        One that stayed though it arrived would arrive again.
        """
        if self._all_stay:
            return True
        folder = item.source.folder
        if folder not in self._removals:
            self._learn_removal(folder)
        removal = self._removals[folder]
        return removal is Removal.ANY or (removal is Removal.OWN and item.facts.own)

    @property
    def _all_stay(self) -> bool:
        return self._looks_only or self._policy.on_done is OnDone.KEEP

    def _unknown(self, entries: Sequence[Entry]) -> Collection[Place]:
        """Return the folders of which nobody asked yet whether files can go."""
        if self._all_stay:
            return ()
        folders = {entry.place.folder for entry in entries} - self._removals.keys()
        if len(self._removals) + len(folders) > _FOLDERS_KNOWN_MAX:
            self._removals.clear()
        return folders

    def _learn_removal(self, folder: Place) -> None:
        self._removals[folder] = self._share.removal(folder)

    def distrusts(self, item: Item) -> str:
        """Return why a container is not to be decoded, by what is known just now."""
        if self._trust is None:
            return ""
        self._trust.look_again(item)
        return self._trust.reason(item)

    def reason_once_read(self, task: Task, outcome: Outcome) -> str:
        """Return why what a worker read is not to be delivered, or nothing."""
        trust = self._trust
        return "" if trust is None else trust.reason_once_read(task, outcome)

    def attempts_of(self, item: Item) -> Attempts | None:
        """Return what was tried with the item before."""
        key = state.key_of(item.direction, item.source)
        if key not in self._troubled:
            return None
        paper = state.load_attempts(self._share, key)
        # A history in which nothing failed was written by nobody.
        return paper if paper is not None and paper.failures else None

    def learn_of_others(self) -> None:
        """See what others left behind, or failed with, since the pass began."""
        learn = (self.left.learn, self._learn_troubles)
        self._share.each(lambda each: each(), learn)

    def _learn_troubles(self) -> None:
        if self._share.lists_late:
            self._share.freshen(_ATTEMPTS)
        self._troubled.update(_troubled(self._share))

    def troubled(self, key: str) -> None:
        """Note that an item got a history in this pass."""
        self._troubled.add(key)

    def has_trouble(self, key: str) -> bool:
        """Tell whether an item may have a history."""
        return key in self._troubled

    def target_of(self, item: Item) -> Place:
        """Return where the item shall arrive."""
        if item.direction is Direction.ENCODE:
            return self._container_of(item.source)
        raw_name = naming.raw_name(item.source.name, self._policy.naming)
        if raw_name.endswith(naming.ALIAS_END):
            place = state.meta_place(item.source)
            meta = state.load_paper(self._share, place, Meta)
            if (
                meta is not None
                and is_file_path(meta.raw_name)
                and "/" not in meta.raw_name
                and naming.alias(meta.raw_name) == raw_name
            ):
                raw_name = meta.raw_name
        return Place(Root.OUTBOX, item.source.folder.path).child(raw_name)

    def claim_key(self, direction: Direction, source: Place) -> str:
        """Return the key of the claim on what lies there, going that way.

        It is that of the container, which the item is or becomes: who makes one and who
        takes one away would meet.
        """
        encodes = direction is Direction.ENCODE
        return naming.claim_key(self._container_of(source) if encodes else source)

    def claim_keys(self, item: Item, target: Place) -> tuple[str, ...]:
        """Return the keys of all claims that the item takes.

        A name that is too long for a container has no container of its own name that
        others could claim; nor does the alias tell whether two of them fold alike.
        """
        key = self.claim_key(item.direction, item.source)
        if item.direction is Direction.DECODE and naming.too_long(target.name):
            return key, naming.claim_key(target)
        return (key,)

    def _container_of(self, source: Place) -> Place:
        folder, slash, name = source.path.rpartition("/")
        if self._aliases and naming.too_long(name):
            name = naming.alias(name)
        made = naming.container_name(name, self._policy.naming)
        return Place(Root.WIRE, f"{folder}{slash}{made}")

    def _marked_ready(self, item: Item) -> bool:
        marker = self._policy.ready_marker
        if not marker or item.direction is Direction.DECODE:
            return False
        return is_marked(self._share, item.source, marker)

    def _of_unreadable(self, item: Item) -> Decision:
        attempts = self.attempts_of(item)
        if attempts is not None:
            wait = wait_seconds(attempts, self._policy, share_now=self._now())
            if wait:
                given_up = wait == math.inf
                verdict = Verdict.SET_ASIDE if given_up else Verdict.WAITING
                return Decision(verdict, "unreadable", wait)
        return Decision(Verdict.ADMITTED, "unreadable")


class Done:
    """What a run knows of sources: those that arrived, and how long others wait."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._sightings = Sightings()

    def learn(
        self,
        ledger: Ledger,
        policy: Policy,
        living: Collection[str],
        *,
        looks_only: bool = False,
    ) -> None:
        """Note what other runs delivered since the last time, where sources stay."""
        if policy.on_done is OnDone.KEEP:
            for record in ledger.news(living, looks_only=looks_only):
                if record.fate is Fate.DELIVERED:
                    self.add(record.direction, record.source, record.identity)

    def add(self, direction: Direction, source: Place, identity: Identity) -> None:
        """Note that this content of the source arrived."""
        self._known.add(_mark(direction, source, identity))

    def has(self, item: Item) -> bool:
        """Tell whether the item arrived."""
        return _mark_of(item) in self._known

    def unchanged_since(self, item: Item, now: float) -> float | None:
        """Return when these facts were seen first, if the file's times do not tell."""
        return self._sightings.since(item, _mark_of, now)

    def took(self, item: Item) -> None:
        """Note that nobody waits for the item any more."""
        self._sightings.forget(item, _mark_of)


def _troubled(share: Share) -> Iterator[str]:
    """Give the keys of all items that have a history."""
    for place in state.files_in(share, _ATTEMPTS):
        yield place.name.removesuffix(".json")


def _own_trust(policy: Policy, node: str) -> str:
    trusted = policy.trusted_nodes
    if not trusted or node in trusted or "localhost" in trusted:
        return ""
    return f"untrusted_node:{node}"


def _mark_of(item: Item) -> bytes:
    return _mark(item.direction, item.source, item.identity)


def _mark(direction: Direction, source: Place, identity: Identity) -> bytes:
    # 16 bytes each: an inbox that keeps a million files costs some 80 MB, and no
    # file is ever taken for another.
    text = f"{direction}\0{source}\0{identity}"
    return hashlib.sha256(text.encode()).digest()[:16]
