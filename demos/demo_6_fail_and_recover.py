#!/usr/bin/env python3
"""A damaged container comes in; it is told of and left alone, and the rest goes on."""

import json
import sys

from stage import Link, Stage, drop, expect, perform

import paxect_core

POLICY = {"version": "1.2.0", "trusted_nodes": []}
CONTENT = b"dropped after the failure\n"


def demo(stage: Stage) -> None:
    """Have one container fail for good, and then drop a healthy file."""
    (stage.folder / "link_policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    inbox = stage.folder / "inbox"
    container = paxect_core.encode_bytes(b"never to arrive\n")
    print("bad.freq comes in, with a sidecar that does not match")
    sidecar = ("0" * 64 + "\n").encode()
    drop(inbox, bad_freq_sha256=sidecar)
    drop(inbox, bad_freq=container)
    link = Link(stage, stage.folder)
    link.until("[LINK] checksum_mismatch", "[LINK] set_aside")
    print("ok.txt comes in after it")
    drop(inbox, ok_txt=CONTENT)
    link.until("[LINK] decode")
    link.end()
    for event in link.events("checksum_mismatch", "set_aside", "decode"):
        print(f"[LINK] {event['event']}: {event['message'].partition(':')[0]}")
    mismatches = link.events("checksum_mismatch")
    print(f"[+] Outbox files: {link.outbox_names()}")
    named = {event["src"] for event in mismatches}
    expect(named == {str(inbox / "bad.freq")}, f"checksum_mismatch names {named}")
    expect(len(mismatches) == 3, f"it was tried {len(mismatches)} times, not three")
    left = (inbox / "bad.freq").read_bytes(), (inbox / "bad.freq.sha256").read_bytes()
    expect(left == (container, sidecar), "bad.freq did not stay as it was")
    expect(link.outbox_names() == ["ok"], "the outbox does not hold ok alone")
    expect((link.outbox / "ok").read_bytes() == CONTENT, "other bytes arrived")
    print("Self-recovery confirmed: the relay went on after a failure")


if __name__ == "__main__":
    sys.exit(perform(demo))
