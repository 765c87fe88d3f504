"""Tell the other nodes who we are, and judge what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from paxect_batch.model.events import Event
from paxect_batch.model.nodes import NodeManifest, SignedManifest
from paxect_batch.model.policy import Policy
from paxect_batch.relay.admit import Distrust
from paxect_batch.rules.trust import judge_peer, sign
from paxect_batch.seams import EventLog


def signed(manifest: NodeManifest, key: bytes | None) -> SignedManifest:
    """Return the manifest as it is handed out: signed, if there is a key."""
    payload: dict[str, str | int] = {
        name: value
        for name, value in msgspec.to_builtins(manifest).items()
        if value not in ("", 0)
    }
    return SignedManifest(payload, None if key is None else sign(payload, key))


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
    met = False
    for name, data in peers:
        try:
            manifest = msgspec.json.decode(data, type=SignedManifest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
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
        met = True
        reason = judge_peer(manifest, policy=policy, key=key)
        if not reason:
            events.write(Event.HANDSHAKE, src=name, message=node)
            continue
        events.write(
            Event.HANDSHAKE_REJECT,
            src=name,
            status="rejected",
            message=f"{reason}:{node}",
        )
        distrust.by_node[node] = f"untrusted_node:{node}"
        if policy.require_sig:
            distrust.default = f"untrusted_node:{node}"
    if not met:
        events.write(Event.HANDSHAKE_NONE, message="no other node is known here")
