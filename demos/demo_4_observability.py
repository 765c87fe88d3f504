#!/usr/bin/env python3
"""The log becomes figures: two files travel, one is blocked by the policy."""

import json
import os
import sys
from collections import Counter

from stage import Link, Stage, drop, expect, perform

POLICY = {"version": "1.2.0", "trusted_nodes": []}
FILES = {"ok1_txt": b"one\n", "ok2_csv": b"id,amount\n1,9.50\n"}
EXPECTED = {
    "startup": 1,
    "handshake_none": 1,
    "encode": 2,
    "decode": 2,
    "policy_block": 1,
    "shutdown": 1,
}


def demo(stage: Stage) -> None:
    """Relay two of three files, and count what was logged."""
    (stage.folder / "link_policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    drop(stage.folder / "inbox", blocked_exe=b"MZ", **FILES)
    link = Link(stage, stage.folder)
    outbox = f"outbox{os.sep}"
    link.until("[LINK] policy_block", f"{outbox}ok1", f"{outbox}ok2")
    audit = link.end()
    # The pace is what a run does about other load on the machine.
    counts = Counter(event["event"] for event in link.events())
    del counts["pace"]
    print(f"Decoded files: {counts['decode']}")
    print(f"Policy blocks: {counts['policy_block']}")
    print("Events:")
    for kind in EXPECTED:
        print(f"  {kind:<16}{counts[kind]}")
    expect(counts == EXPECTED, f"these events were logged: {dict(counts)}")
    arrived = {path.name: path.read_bytes() for path in link.outbox.iterdir()}
    wanted = {name.partition("_")[0]: data for name, data in FILES.items()}
    expect(arrived == wanted, f"the outbox holds {sorted(arrived)}")
    blocked = stage.folder / "inbox" / "blocked.exe"
    expect(blocked.read_bytes() == b"MZ", "blocked.exe did not stay as it was")
    told = {name: audit[name]["files"] for name in ("seen", "delivered", "blocked")}
    right = {"seen": 3, "delivered": 2, "blocked": 1}
    expect(told == right, f"the audit line says {told}")
    print("Demo 4 complete")


if __name__ == "__main__":
    sys.exit(perform(demo))
