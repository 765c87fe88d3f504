"""Trust: signing node manifests, and judging those of peers.

The signature is Link's: HMAC-SHA256 in lower-case hex over the payload as JSON with
sorted keys and no spaces. It is compared in constant time.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping

import msgspec

from paxect_batch.model.nodes import SignedManifest
from paxect_batch.model.policy import Policy


class PeerFault(enum.StrEnum):
    """Why a peer's manifest is rejected."""

    NONE = ""
    MALFORMED = "malformed"
    """It does not name its node."""
    NO_KEY = "no_key"
    """Signatures are required, and this node has no key to check them with."""
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad_signature"
    UNTRUSTED_NODE = "untrusted_node"


class PeerVerdict(msgspec.Struct, frozen=True):
    """What a manifest is worth; `node` is who it claims to be from."""

    node: str
    fault: PeerFault = PeerFault.NONE

    @property
    def accepted(self) -> bool:
        """Whether the peer's manifest is accepted."""
        return self.fault is PeerFault.NONE

    @property
    def reason(self) -> str:
        """The fault and the node for an event, such as `untrusted_node:evil`."""
        return "" if self.accepted else f"{self.fault}:{self.node}"


def canonical(payload: Mapping[str, object]) -> bytes:
    """Return the bytes that are signed, the same for equal payloads."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":")).encode("ascii")


def sign(payload: Mapping[str, object], key: bytes) -> str:
    """Return the signature of a payload, in hex."""
    assert key, "an empty key signs for anybody"
    return hmac.new(key, canonical(payload), hashlib.sha256).hexdigest()


def is_signed_by(manifest: SignedManifest, key: bytes) -> bool:
    """Tell whether a manifest bears the signature of that key."""
    if manifest.hmac_sha256 is None:
        return False
    # As bytes, because text that is not ASCII would be refused with an exception.
    claimed = manifest.hmac_sha256.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(claimed, sign(manifest.payload, key).encode())


def judge_peer(
    manifest: SignedManifest, *, policy: Policy, key: bytes | None
) -> PeerVerdict:
    """Return what a peer's manifest is worth; the gravest fault is named.

    A signature that is there and wrong is a fault even where none is required. One that
    cannot be checked for want of a key is none, unless signatures are required.
    """
    node = manifest.payload.get("node")
    if not isinstance(node, str) or not node:
        return PeerVerdict("", PeerFault.MALFORMED)
    fault = _signature_fault(manifest, policy=policy, key=key)
    if not fault and policy.trusted_nodes and node not in policy.trusted_nodes:
        fault = PeerFault.UNTRUSTED_NODE
    return PeerVerdict(node, fault)


def _signature_fault(
    manifest: SignedManifest, *, policy: Policy, key: bytes | None
) -> PeerFault:
    if not key:
        return PeerFault.NO_KEY if policy.require_sig else PeerFault.NONE
    if manifest.hmac_sha256 is None:
        return PeerFault.UNSIGNED if policy.require_sig else PeerFault.NONE
    return PeerFault.NONE if is_signed_by(manifest, key) else PeerFault.BAD_SIGNATURE


def containers_allowed(verdicts: Iterable[PeerVerdict], policy: Policy) -> str:
    """Return why containers of these peers may not be decoded, empty if they may.

    Give the verdicts on those peers that a container may stem from: all that are known
    where nothing tells which. Where signatures are required, any rejected one stops
    them, and so does there being none. Where they are not, a manifest is a mere claim:
    only one from a node outside the policy's list stops them.
    """
    known = list(verdicts)
    if policy.require_sig and not known:
        return "no_peer_manifest"
    rejected = sorted(
        verdict.reason
        for verdict in known
        if not verdict.accepted
        and (policy.require_sig or verdict.fault is PeerFault.UNTRUSTED_NODE)
    )
    return rejected[0] if rejected else ""
