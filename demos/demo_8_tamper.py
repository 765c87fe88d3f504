#!/usr/bin/env python3
"""A container, a ledger line and a manifest are altered; each is caught and named.

Each is put back before the next, and all is well at the end: nothing else was caught.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stage import EAGER_POLICY, Stage, expect, perform

POLICY = EAGER_POLICY + 'require_sig = true\ntrusted_nodes = ["north", "south"]\n'
CONTENT = b"".join(b"%d;paid\n" % number for number in range(5000))


def demo(stage: Stage) -> None:
    """Alter one thing after the other, and see who notices."""
    share = stage.share(policy=POLICY)
    key = stage.folder / "key"
    key.write_text("tamper-demo-key")
    key.chmod(0o600)
    signed = ("--hmac-key-file", key, "--node")
    (share / "inbox" / "delivered.csv").write_bytes(CONTENT)
    stage.drain(share, *signed, "north")
    (share / "inbox" / "sent.csv").write_bytes(CONTENT)
    stage.drain(share, *signed, "north", "--direction", "encode")
    all_is_well(stage, share)

    container = share / "wire" / "sent.csv.freq"
    data = bytearray(container.read_bytes())
    data[len(data) // 2] ^= 1
    with altered("a container, by one bit", container, bytes(data)):
        caught_by(stage, share / "wire", 2, "CRC32", "paxect-core", "verify", container)
        caught_by(stage, share, 2, "wire/sent.csv.freq", *verify(share))

    ((ledger, line),) = arrivals_in(share / ".paxect" / "ledger" / "north")
    forged_line = line.replace(json.loads(line)["raw_sha256"], "0" * 64)
    forged = ledger.read_text().replace(line, forged_line)
    with altered("a ledger line, its SHA-256", ledger, forged.encode()):
        caught_by(stage, share, 2, "outbox/delivered.csv", *verify(share))

    manifest = share / ".paxect" / "nodes" / "north" / "manifest.json"
    facts = json.loads(manifest.read_text())
    facts["payload"]["platform"] = "another one"
    south = (*signed, "south", "--direction", "decode")
    with altered("a manifest, its platform", manifest, json.dumps(facts).encode()):
        ran = stage.drain(share, *south, exit_code=1)
        expect(container.exists(), "the container of an unknown sender was decoded")
        told = [event["message"] for event in events_of(share, "south")]
        expect(told == ["bad_signature:north"], f"south logged {told}")
        print(f"  paxect-batch drain: handshake_reject {told[0]}")
        expect(ran.audit["blocked"]["files"] == 1, f"the audit line says {ran.audit}")
    stage.drain(share, *south)
    arrived = (share / "outbox" / "sent.csv").read_bytes()
    expect(arrived == CONTENT, "what was delivered is not what was dropped")
    all_is_well(stage, share)
    print("Demo 8 complete")


def verify(share: Path) -> tuple[object, ...]:
    """Return the command that compares all that lies on a share."""
    return "paxect-batch", "verify", "--quiet", share


def all_is_well(stage: Stage, share: Path) -> None:
    """See to it that nothing is found."""
    stage.run(*verify(share))


@contextmanager
def altered(what: str, path: Path, data: bytes) -> Iterator[None]:
    """Have a file hold something else for a while."""
    before = path.read_bytes()
    expect(before != data, f"{path} holds nothing to alter")
    print(f"altered: {what}")
    path.write_bytes(data)
    yield
    path.write_bytes(before)


def caught_by(stage: Stage, below: Path, code: int, named: str, *words: object) -> None:
    """Run a command that has to find fault, and to name where or what."""
    ran = stage.run(*words, exit_code=code)
    lines = ran.err.splitlines()
    expect(lines, f"{words[0]} {words[1]} found nothing, and ended with {code}")
    for line in lines:
        expect(named in line, f"{words[0]} {words[1]} said: {line}")
        found = line.replace(f"{below}{os.sep}", "").partition(": ")[2]
        print(f"  {words[0]} {words[1]}: {found.partition(';')[0]}")


def arrivals_in(ledgers: Path) -> list[tuple[Path, str]]:
    """Return the lines that tell of an arrival in the outbox, each with its ledger."""
    return [
        (ledger, line)
        for ledger in sorted(ledgers.glob("*.jsonl"))
        for line in ledger.read_text().splitlines()
        if json.loads(line)["target"][0] == "outbox"
    ]


def events_of(share: Path, node: str) -> list[dict[str, str]]:
    """Return what a node logged of manifests that it rejected."""
    log = share / ".paxect" / "log" / f"{node}.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return [event for event in events if event["event"] == "handshake_reject"]


if __name__ == "__main__":
    sys.exit(perform(demo))
