"""Tell the other nodes who we are, and judge what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction
from paxect_batch.model.nodes import NodeManifest, SignedManifest
from paxect_batch.model.policy import Policy
from paxect_batch.model.records import Fate
from paxect_batch.relay import state
from paxect_batch.relay.admit import Distrust
from paxect_batch.rules.trust import (
    PeerVerdict,
    containers_allowed,
    judge_peer,
    sign,
)
from paxect_batch.seams import EventLog, Ledger, Share


def signed(manifest: NodeManifest, key: bytes | None) -> SignedManifest:
    """Return the manifest as it is handed out: signed, if there is a key."""
    payload: dict[str, str | int] = {
        name: value
        for name, value in msgspec.to_builtins(manifest).items()
        if value not in ("", 0)
    }
    return SignedManifest(payload, None if key is None else sign(payload, key))


def introduce(share: Share, manifest: NodeManifest, key: bytes | None) -> None:
    """Leave the manifest on the share for the other nodes."""
    place = state.state("nodes", manifest.node, "manifest.json")
    state.save_paper(share, place, signed(manifest, key))


def meet(
    peers: Iterable[tuple[str, bytes]],
    *,
    own_node: str,
    policy: Policy,
    key: bytes | None,
    events: EventLog,
    distrust: Distrust,
) -> None:
    """Judge the manifests of peers, by file name; note whose containers are barred."""
    verdicts: list[PeerVerdict] = []
    for name, data in peers:
        try:
            manifest = msgspec.json.decode(data, type=SignedManifest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            events.write(
                Event.HANDSHAKE_PARSE_ERROR,
                src=name,
                status="error",
                message=f"{name} is no node manifest: {error}",
            )
            if policy.require_sig:
                distrust.default = f"unreadable_manifest:{name}"
            continue
        node = str(manifest.payload.get("node", ""))
        if node == own_node:
            continue
        verdict = judge_peer(manifest, policy=policy, key=key)
        verdicts.append(verdict)
        if verdict.accepted:
            events.write(Event.HANDSHAKE, src=name, message=node)
            continue
        events.write(
            Event.HANDSHAKE_REJECT,
            src=name,
            status="rejected",
            message=verdict.reason,
        )
        reason = containers_allowed([verdict], policy)
        if reason:
            distrust.by_node[node] = reason
    if not distrust.default:
        distrust.default = containers_allowed(verdicts, policy)
    if not verdicts:
        events.write(Event.HANDSHAKE_NONE, message="no other node is known here")


def peers_on_share(share: Share) -> Iterator[tuple[str, bytes]]:
    """Give the manifests that nodes left on the share, with their places."""
    for folder in state.folders_in(share, state.state("nodes")):
        place = folder.child("manifest.json")
        data = state.read_paper(share, place)
        if data is not None:
            yield str(place), data


def remember_origins(ledger: Ledger, distrust: Distrust) -> None:
    """Note which node made which container, as far as ledgers tell."""
    for record in ledger.all():
        encoded = record.direction is Direction.ENCODE
        if record.fate is Fate.DELIVERED and encoded and record.target is not None:
            distrust.origins[record.target] = record.node
