#!/usr/bin/env python3
"""Two nodes at once, each with a lock of its own, and neither is in the other's way.

A third that wants the lock of the first is refused. Each signs its manifest.
"""

import hashlib
import hmac
import json
import sys
from pathlib import Path

from stage import Link, Stage, drop, expect, perform

KEY = "supersecret-demo-hmac-key"
NODES = ("A", "B")


def demo(stage: Stage) -> None:
    """Run two nodes side by side, and try a third."""
    links = {}
    for node in NODES:
        drop(stage.folder / f"inbox{node}", **{f"{node}_txt": content(node)})
        links[node] = Link(stage, stage.folder, HMAC_KEY=KEY, **files_of(node))
        links[node].until("Watching")
    named = {f"PAXECT_LINK_{name}": path for name, path in files_of("A").items()}
    refused = stage.run("paxect-link", exit_code=75, variables=named)
    expect("another instance" in refused.err, f"a third node was told {refused.err}")
    for node, link in links.items():
        link.until("[LINK] decode")
        link.end()
        print(f"[+] node{node} decoded: {link.outbox_names()}")
    for node, link in links.items():
        expect(
            link.outbox_names() == [node], f"node{node} did not deliver {node} alone"
        )
        arrived = (link.outbox / node).read_bytes()
        expect(arrived == content(node), f"node{node} delivered {arrived[:60]!r}")
        expect(is_signed(stage.folder / files_of(node)["MANIFEST"]), "no signature")
    print("Demo 3 complete")


def is_signed(path: Path) -> bool:
    """Tell whether a node's manifest bears the signature of the key."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    data = json.dumps(manifest["payload"], sort_keys=True, separators=(",", ":"))
    digest = hmac.new(KEY.encode(), data.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(str(manifest["hmac_sha256"]), digest)


def files_of(node: str) -> dict[str, str]:
    """Return where a node has its files, as Link's variables name them."""
    return {
        "INBOX": f"inbox{node}",
        "OUTBOX": f"outbox{node}",
        "MANIFEST": f"link_manifest_node{node}.json",
        "LOG": f"node{node}.jsonl",
        "LOCK": f"node{node}.lock",
    }


def content(node: str) -> bytes:
    """Return what is dropped at a node."""
    return f"from node {node}\n".encode()


if __name__ == "__main__":
    sys.exit(perform(demo))
