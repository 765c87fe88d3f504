#!/usr/bin/env python3
"""A file goes into the inbox, becomes a container, and arrives as it was."""

import sys

from stage import Link, Stage, drop, expect, perform

CONTENT = b"one line that has to arrive as it is\n"


def demo(stage: Stage) -> None:
    """Relay one file."""
    drop(stage.folder / "inbox", example_txt=CONTENT)
    link = Link(stage, stage.folder)
    link.until("[LINK] encode", "[LINK] decode")
    audit = link.end()
    decoded = link.outbox_names()
    print(f"decoded: {decoded}")
    expect(decoded == ["example"], "the outbox does not hold example alone")
    arrived = (link.outbox / "example").read_bytes()
    expect(arrived == CONTENT, f"other bytes arrived: {arrived[:60]!r}")
    expect(audit["delivered"]["files"] == 1, f"the audit line says {audit}")
    print("Demo 1 complete")


if __name__ == "__main__":
    sys.exit(perform(demo))
