"""Signatures of manifests, and what follows from them."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from build import policy
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.nodes import SignedManifest
from paxect_batch.model.policy import Policy
from paxect_batch.rules.trust import (
    PeerFault,
    PeerVerdict,
    canonical,
    containers_allowed,
    is_signed_by,
    judge_peer,
    sign,
)

KEY = b"shared secret"
PAYLOAD: dict[str, str | int] = {"node": "node2", "version": "1.2.0", "policy": "é"}
STRICT = policy(require_sig=True, trusted_nodes=("node2",))
payloads = st.dictionaries(st.text(), st.text() | st.integers())


def signed(key: bytes = KEY, **changes: str | int) -> SignedManifest:
    payload = {**PAYLOAD, **changes}
    return SignedManifest(payload, sign(payload, key))


def test_canonical_is_what_link_signs() -> None:
    data = canonical({"node": "é\n", "b": 1, "a": "x/y"})
    assert data == rb'{"a":"x/y","b":1,"node":"\u00e9\n"}'


def test_sign_is_hmac_sha256_in_hex() -> None:
    text = '{"node":"node2","policy":"\\u00e9","version":"1.2.0"}'
    expected = hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()
    assert sign(PAYLOAD, KEY) == expected
    assert is_signed_by(SignedManifest(PAYLOAD, expected), KEY)


@given(payloads, st.binary(min_size=1))
def test_is_signed_by_its_key_however_the_payload_is_ordered(
    payload: dict[str, str | int], key: bytes
) -> None:
    signature = sign(payload, key)
    turned = dict(reversed(payload.items()))
    assert is_signed_by(SignedManifest(turned, signature), key)
    assert not is_signed_by(SignedManifest(payload, signature), key + b"!")
    assert json.loads(canonical(payload)) == payload


@pytest.mark.parametrize("signature", [None, "", "é", "0" * 64, "\ud800"])
def test_is_signed_by_with_a_wrong_signature_is_false(signature: str | None) -> None:
    assert not is_signed_by(SignedManifest(PAYLOAD, signature), KEY)


@pytest.mark.parametrize(
    ("manifest", "law", "key", "reason"),
    [
        (signed(), STRICT, KEY, ""),
        (signed(), policy(), None, ""),
        (SignedManifest(PAYLOAD), policy(), KEY, ""),
        (SignedManifest(PAYLOAD), STRICT, KEY, "unsigned:node2"),
        (signed(), STRICT, None, "no_key:node2"),
        (signed(), STRICT, b"", "no_key:node2"),
        (signed(b"other"), STRICT, KEY, "bad_signature:node2"),
        (signed(b"other"), policy(), KEY, "bad_signature:node2"),
        (signed(node="evil"), STRICT, KEY, "untrusted_node:evil"),
        (signed(b"other", node="evil"), STRICT, KEY, "bad_signature:evil"),
        (SignedManifest({}), STRICT, KEY, "malformed:"),
        (SignedManifest({"node": 7}), STRICT, KEY, "malformed:"),
        (SignedManifest({"node": ""}), policy(), None, "malformed:"),
    ],
)
def test_judge_peer(
    manifest: SignedManifest, law: Policy, key: bytes | None, reason: str
) -> None:
    verdict = judge_peer(manifest, policy=law, key=key)
    assert verdict.reason == reason
    assert verdict.accepted is (not reason)


GOOD = PeerVerdict("good")
UNSIGNED = PeerVerdict("lax", PeerFault.UNSIGNED)
FORGED = PeerVerdict("forger", PeerFault.BAD_SIGNATURE)
STRANGE = PeerVerdict("evil", PeerFault.UNTRUSTED_NODE)


@pytest.mark.parametrize(
    ("verdicts", "require_sig", "reason"),
    [
        ([GOOD], True, ""),
        ([], True, "no_peer_manifest"),
        ([GOOD, UNSIGNED], True, "unsigned:lax"),
        ([UNSIGNED, FORGED], True, "bad_signature:forger"),
        ([STRANGE, GOOD], True, "untrusted_node:evil"),
        ([], False, ""),
        ([GOOD, FORGED], False, ""),
        ([GOOD, STRANGE], False, "untrusted_node:evil"),
    ],
)
def test_containers_allowed(
    verdicts: list[PeerVerdict], require_sig: bool, reason: str
) -> None:
    law = policy(require_sig=require_sig)
    assert containers_allowed(verdicts, law) == reason
    assert containers_allowed(reversed(verdicts), law) == reason
