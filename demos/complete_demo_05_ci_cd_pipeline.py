#!/usr/bin/env python3
"""What a pipeline reads of a run: a summary for people, one line for machines."""

import json
import sys

from stage import AUDIT, Stage, expect, perform

FILES = {
    "orders.csv": b"id,amount\n1,9.50\n",
    "empty.txt": b"",
    "noise.bin": b"\0\xff" * 99,
}
PARTS = ("delivered", "set_aside", "blocked", "waiting")


def demo(stage: Stage) -> None:
    """Drain a share, and hold what is said against what is there."""
    share = stage.share()
    for name, data in FILES.items():
        (share / "inbox" / name).write_bytes(data)
    words = ("drain", "--workers", "1", "--node", "demo", "--summary", share)
    ran = stage.run("paxect-batch", *words)
    audit = ran.audit
    print(ran.out, end="")

    schema = json.loads(stage.run("paxect-batch", "schema", "audit").out)
    described = set(schema["properties"])
    expect(set(audit) == described, f"the schema differs: {set(audit) ^ described}")
    expect(
        (audit["bias_flags"], audit["deterministic"], audit["exit_code"])
        == (0, True, 0),
        f"the audit line says {audit}",
    )
    for unit in ("files", "bytes"):
        parts = sum(audit[part][unit] for part in PARTS)
        expect(audit["seen"][unit] == parts, f"the sum of {unit} does not close")
    arrived = {path.name: path.read_bytes() for path in (share / "outbox").iterdir()}
    expect(arrived == FILES, f"the outbox holds {sorted(arrived)}")
    told = audit["delivered"]["files"], audit["delivered"]["bytes"]
    right = len(FILES), sum(map(len, FILES.values()))
    expect(told == right, f"delivered is {told}, not {right}")
    last = ran.out.splitlines()[-1]
    expect(last.startswith(f'{AUDIT}{{"'), "the audit line is not the last line")


if __name__ == "__main__":
    sys.exit(perform(demo))
