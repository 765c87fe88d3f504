#!/usr/bin/env python3
"""The same files, again and again through one share: each cycle ends alike."""

import random
import sys
from pathlib import Path

from stage import Stage, expect, perform

CYCLES = 3
FILES = 40


def demo(stage: Stage) -> None:
    """Drop, drain, compare, and take away, several times."""
    share = stage.share()
    digests = []
    failures = 0
    for cycle in range(1, CYCLES + 1):
        dropped = drop_files(share / "inbox")
        audit = stage.drain(share).audit
        arrived = take_files(share / "outbox")
        same = sum(arrived.get(name) == data for name, data in dropped.items())
        digests.append(audit["batch_digest"])
        is_well = (
            arrived == dropped
            and audit["delivered"] == audit["seen"] == tally(dropped)
            and digests[-1] == digests[0]
        )
        failures += not is_well
        print(f"cycle {cycle}: {same} of {FILES} files, digest {digests[-1][:16]}")
    stage.run("paxect-batch", "verify", "--quiet", share)
    print(f"{CYCLES} cycles, {failures} failures")
    expect(not failures, "not every cycle delivered all, or they differ")


def drop_files(inbox: Path) -> dict[str, bytes]:
    """Drop the same files as ever; return what they hold."""
    dice = random.Random(7)
    dropped = {
        f"part-{number:02}.bin": dice.randbytes(dice.randrange(9000))
        for number in range(FILES)
    }
    for name, data in dropped.items():
        (inbox / name).write_bytes(data)
    return dropped


def take_files(outbox: Path) -> dict[str, bytes]:
    """Take away what arrived, as a consumer does; return what it holds."""
    taken = {}
    for path in sorted(outbox.iterdir()):
        taken[path.name] = path.read_bytes()
        path.unlink()
    return taken


def tally(files: dict[str, bytes]) -> dict[str, int]:
    """Return how the audit line tells of so many files."""
    return {"bytes": sum(map(len, files.values())), "files": len(files)}


if __name__ == "__main__":
    sys.exit(perform(demo))
