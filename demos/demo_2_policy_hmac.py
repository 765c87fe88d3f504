#!/usr/bin/env python3
"""With signed manifests: who signs is greeted, who forges is rejected and not decoded.

`contract.txt` was dropped here, so it travels. `offer.freq` was made elsewhere, and as
long as a forged manifest lies about, nobody can say by whom: it stays where it is.
"""

import hashlib
import hmac
import json
import sys
from pathlib import Path

from stage import Link, Stage, drop, expect, perform

import paxect_core

KEY = "supersecret-demo-hmac-key"
POLICY = {"version": "1.2.0", "require_sig": True, "trusted_nodes": []}
CONTENT = b"signed by both sides\n"


def demo(stage: Stage) -> None:
    """Meet two peers, of which one cannot sign."""
    inbox = stage.folder / "inbox"
    drop(inbox, contract_txt=CONTENT, offer_freq=paxect_core.encode_bytes(b"cheap\n"))
    (stage.folder / "link_policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    write_manifest(stage.folder, "node2", KEY)
    write_manifest(stage.folder, "evil", "a guess")
    link = Link(stage, stage.folder, HMAC_KEY=KEY)
    link.until("[LINK] decode", "[LINK] policy_block")
    link.end()
    decoded = link.outbox_names()
    print(f"decoded: {decoded}")
    for event in link.events("handshake", "handshake_reject", "policy_block"):
        print(f"{event['event']}: {event['message']}")
    expect(decoded == ["contract"], "the outbox does not hold contract alone")
    expect((link.outbox / "contract").read_bytes() == CONTENT, "other bytes arrived")
    expect((inbox / "offer.freq").exists(), "offer.freq is gone")
    for kind, message in {
        "handshake": "node2",
        "handshake_reject": "bad_signature:evil",
        "policy_block": "bad_signature:evil",
    }.items():
        logged = [event["message"] for event in link.events(kind)]
        expect(logged == [message], f"{kind} was logged for {logged}, not {message}")
    print("Demo 2 complete")


def write_manifest(folder: Path, node: str, key: str) -> None:
    """Write the manifest of a peer as Link 1.2.0 does."""
    payload = {
        "datetime_utc": "2026-01-31T23:59:59Z",
        "node": node,
        "platform": "any",
        "policy": "link_policy.json",
        "inbox": "inbox",
        "outbox": "outbox",
        "version": "1.2.0",
    }
    data = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    signature = hmac.new(key.encode(), data, hashlib.sha256).hexdigest()
    manifest = {"payload": payload, "hmac_sha256": signature}
    path = folder / f"link_manifest_{node}.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(perform(demo))
