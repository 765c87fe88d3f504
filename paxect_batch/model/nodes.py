"""Nodes: who runs on a share, and the manifests by which they know each other."""

from __future__ import annotations

import msgspec


class NodeManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a node says of itself; the fields of Link 1.2.0 and, in ours, some more."""

    datetime_utc: str
    node: str
    platform: str
    policy: str
    inbox: str
    outbox: str
    version: str
    codec: str = ""
    policy_sha256: str = ""
    host: str = ""
    pid: int = 0


class SignedManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A manifest with the HMAC over its payload, as sorted and compact JSON."""

    payload: dict[str, str | int]
    hmac_sha256: str | None = None


class ShareMarker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`.paxect/share.json`: that this is a share, and where its folders are."""

    format: int
    share_id: str
    inbox: str = "inbox"
    outbox: str = "outbox"
    wire: str = "wire"
    lease_seconds: float | msgspec.UnsetType = msgspec.UNSET
    """After so long without a sign of life a node's work is taken over; 10."""
    locks: str | msgspec.UnsetType = msgspec.UNSET
    """What locks rest on, once `doctor` has pinned it; see `fitness.Lock`."""
