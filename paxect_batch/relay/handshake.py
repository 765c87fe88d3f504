"""Tell the other nodes who we are, and find what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from paxect_batch.model.nodes import NodeManifest, SignedManifest
from paxect_batch.relay import state
from paxect_batch.relay.trust import Peer
from paxect_batch.rules.trust import sign
from paxect_batch.seams import Share


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


def peers_on_share(share: Share, *, fresh: bool) -> Iterator[Peer]:
    """Give the manifests that nodes left on the share."""
    if fresh and share.lists_late:
        share.freshen(state.state("nodes"))
    for folder in state.folders_in(share, state.state("nodes")):
        place = folder.child("manifest.json")
        try:
            data = state.read_paper(share, place)
        except PermissionError:
            # It says nothing to this user, as one that is damaged.
            data = b""
        if data is not None:
            yield Peer(str(place), folder.name, data)
