"""Know whose containers may be decoded, as manifests and ledgers tell by now.

Where the policy asks for it, both are read again before each pass: who makes containers
may have come, or have got a key, since the run began. Which node made a container is
told by the ledgers, by its place and its SHA-256, until it is decoded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import msgspec

from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Identity, Item
from paxect_batch.model.nodes import SignedManifest
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run import RunOptions
from paxect_batch.model.transfer import Outcome, Task
from paxect_batch.rules.trust import (
    PeerFault,
    PeerVerdict,
    containers_allowed,
    judge_peer,
)
from paxect_batch.seams import EventLog, News


class Peer(NamedTuple):
    """What a peer says of itself."""

    name: str
    """Of the file that says it."""
    node: str
    """Whose manifest it is by where it lies; empty if that tells nothing."""
    data: bytes


_EARLY_MAX = 4096
"""So many that were decoded before it was read who made them are remembered."""

Peers = Callable[[bool], Iterable[Peer]]
"""Gives what is there; all that is there by now if that is asked for."""


class _Made(NamedTuple):
    """A container that is still to be decoded."""

    node: str
    container_sha256: str
    at: str


class _Decoded(NamedTuple):
    """What a record that a container was decoded says of who made it."""

    source: Place
    container_sha256: str
    at: str


class Trust:
    """The trust of one run."""

    def __init__(
        self,
        peers: Peers,
        news: News,
        events: EventLog,
        *,
        options: RunOptions,
        key: bytes | None,
    ) -> None:
        self._peers = peers
        self._news = news
        self._events = events
        self._node = options.node
        self._run = options.run
        self._decodes = Direction.DECODE in options.mode.directions
        self._living: set[str] = set()
        self._key = key
        self._policy: Policy | None = None
        self._said: dict[str, str] = {}
        """What was said last of each manifest."""
        self._default = ""
        """Why containers of unknown origin are not decoded."""
        self._by_node: dict[str, str] = {}
        """Why those of a node are not; empty if they are."""
        self._made: dict[Place, _Made] = {}
        self._refused: dict[Place, tuple[Identity, str]] = {}
        """What turned out, as it was read, not to be what its maker recorded."""

    def look(
        self, policy: Policy, living: Collection[str], *, looks_only: bool = False
    ) -> None:
        """Judge the peers by what they say now. `living` are runs that may record.

        Who `looks_only` writes nothing on the share.
        """
        asks = policy.require_sig or bool(policy.trusted_nodes)
        is_first = self._policy is None
        if not is_first and not asks and policy == self._policy:
            return
        before = self._policy, self._default
        self._policy, self._living = policy, {*living, self._run}
        self._meet(policy, is_first=is_first, fresh=asks and not looks_only)
        if before != (policy, self._default):
            self._refused.clear()
        if asks and self._decodes:
            self._learn(self._living, looks_only=looks_only)

    def look_again(self, item: Item) -> None:
        """See whose the container is that came since the last look, if it did."""
        came = item.direction is Direction.DECODE and item.source not in self._made
        if came and self._policy is not None and self._asks():
            self._meet(self._policy, is_first=False, fresh=True)
            self._learn(self._living, looks_only=False)

    def heard(self, record: Record) -> None:
        """Take in a record of this run."""
        if self._asks() and self._decodes:
            self._note(record)

    def reason(self, item: Item) -> str:
        """Return why the item's container is not to be decoded, or nothing."""
        if item.direction is Direction.ENCODE or not self._asks():
            return ""
        identity, refused = self._refused.get(item.source, (None, ""))
        if identity == item.identity:
            return refused
        made = self._made.get(item.source)
        return self._default if made is None else self._of_node(made.node)

    def reason_once_read(self, task: Task, outcome: Outcome) -> str:
        """Return why what was read is not to be delivered, or nothing.

        Its maker recorded another container by that name; this one is anybody's.
        """
        if task.direction is Direction.ENCODE or not self._asks():
            return ""
        made = self._made.get(task.source)
        if made is None or made.container_sha256 == outcome.container_sha256:
            return ""
        if self._default:
            self._refused[task.source] = task.identity, self._default
        return self._default

    def _asks(self) -> bool:
        policy = self._policy
        return policy is not None and (policy.require_sig or bool(policy.trusted_nodes))

    def _of_node(self, node: str) -> str:
        assert self._policy is not None
        if node == self._node:
            return ""
        if self._policy.trusted_nodes and node not in self._policy.trusted_nodes:
            # Whatever its manifest says, or if there is none.
            return PeerVerdict(node, PeerFault.UNTRUSTED_NODE).reason
        if node in self._by_node:
            return self._by_node[node]
        return f"no_manifest:{node}" if self._policy.require_sig else ""

    def _meet(self, policy: Policy, *, is_first: bool, fresh: bool) -> None:
        verdicts: list[PeerVerdict] = []
        self._by_node = {}
        unreadable = ""
        for peer in self._peers(fresh):
            if peer.node == self._node:
                continue
            try:
                if not peer.data:
                    raise msgspec.DecodeError("it is empty, or may not be read")
                manifest = msgspec.json.decode(peer.data, type=SignedManifest)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._tell_unreadable(peer.name, error)
                if policy.require_sig:
                    unreadable = f"unreadable_manifest:{peer.name}"
                    self._by_node[peer.node] = unreadable
                continue
            verdict = self._judged(peer, manifest, policy)
            if verdict is not None:
                verdicts.append(verdict)
        self._default = unreadable or containers_allowed(verdicts, policy)
        if is_first and not verdicts:
            self._events.write(
                Event.HANDSHAKE_NONE, message="no other node is known here"
            )

    def _judged(
        self, peer: Peer, manifest: SignedManifest, policy: Policy
    ) -> PeerVerdict | None:
        says = manifest.payload.get("node", "")
        if peer.node and says != peer.node:
            # It lies where that of another node belongs.
            verdict = PeerVerdict(peer.node, PeerFault.MALFORMED)
        elif says == self._node:
            return None
        else:
            verdict = judge_peer(manifest, policy=policy, key=self._key)
        self._tell(peer.name, verdict)
        reason = containers_allowed([verdict], policy)
        self._by_node[verdict.node] = self._by_node.get(verdict.node) or reason
        return verdict

    def _tell(self, name: str, verdict: PeerVerdict) -> None:
        said = verdict.reason or verdict.node
        if self._said.get(name) == said:
            return
        self._said[name] = said
        if verdict.accepted:
            self._events.write(Event.HANDSHAKE, src=name, message=said)
        else:
            self._events.write(
                Event.HANDSHAKE_REJECT, src=name, status="rejected", message=said
            )

    def _tell_unreadable(self, name: str, error: Exception) -> None:
        said = f"{name} is no node manifest: {error}"
        if self._said.get(name) == said:
            return
        self._said[name] = said
        self._events.write(
            Event.HANDSHAKE_PARSE_ERROR, src=name, status="error", message=said
        )

    def _learn(self, living: Collection[str], *, looks_only: bool) -> None:
        early: deque[_Decoded] = deque(maxlen=_EARLY_MAX)
        for record in self._news.read(living, looks_only=looks_only):
            decoded = self._note(record)
            if decoded is not None:
                early.append(decoded)
        # The order is about that of time: some were decoded before it was read who made
        # them. Who is remembered for too long is believed no more for it, as another
        # container has another SHA-256.
        for decoded in early:
            self._forget(decoded)

    def _note(self, record: Record) -> _Decoded | None:
        """Take in a record; return what may tell more once others were taken in."""
        if record.fate is not Fate.DELIVERED:
            return None
        if record.direction is Direction.ENCODE:
            if record.target is not None:
                made = _Made(record.node, record.container_sha256, record.at)
                before = self._made.get(record.target)
                if before is None or before.at <= made.at:
                    self._made[record.target] = made
                    self._refused.pop(record.target, None)
            return None
        decoded = _Decoded(record.source, record.container_sha256, record.at)
        return None if self._forget(decoded) else decoded

    def _forget(self, decoded: _Decoded) -> bool:
        """Forget who made a container that was decoded; False if that is not known."""
        made = self._made.get(decoded.source)
        if (
            made is None
            or made.container_sha256 != decoded.container_sha256
            or made.at > decoded.at
        ):
            return False
        del self._made[decoded.source]
        return True
