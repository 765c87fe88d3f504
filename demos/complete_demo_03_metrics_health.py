#!/usr/bin/env python3
"""A burst of files, at full pace and at a quarter of it: the bytes are the same.

Before that the share is told to be quiet: nothing is taken, and nothing is lost. Each
decision on the pace is in the log, and comes out the same when it is made again.
"""

import json
import random
import sys
from pathlib import Path

from stage import EAGER_POLICY, Stage, expect, perform

FILES = 200
POLICY = EAGER_POLICY + 'log_level = "debug"\n'
QUARTER = 0.25


def demo(stage: Stage) -> None:
    """Encode one burst twice."""
    calm, busy = (stage.share(name, POLICY) for name in ("calm", "busy"))
    for share in (calm, busy):
        drop_burst(share / "inbox")
    print(f"a burst of {FILES} files")
    words = ("--direction", "encode")
    full = stage.drain(busy, *words, "--no-pace", "--workers", "2").audit
    hours = ("--quiet-hours", "00:00-24:00")
    held = stage.drain(calm, *words, *hours, "--deadline", "1s", exit_code=1).audit
    left = len(list((calm / "inbox").iterdir()))
    quarter = stage.drain(calm, *words, hours[0], f"{hours[1]}@25%").audit
    replayed = stage.run("paxect-batch", "pace", "replay", log_of(calm)).out

    expect(full["delivered"]["files"] == FILES, f"at full pace: {full}")
    print(f"full pace:  {full['delivered']['files']} delivered")
    paces = paces_in(log_of(calm), quarter["run"])
    expect(paces and max(paces) <= QUARTER, f"the pace was {paces}")
    expect(quarter["delivered"] == full["delivered"], f"throttled: {quarter}")
    print(
        f"throttle:   {quarter['delivered']['files']} delivered, at a quarter at most"
    )
    taken = held["delivered"]["files"]
    expect((taken, left) == (0, FILES), f"at pace 0: {taken} taken, {left} left")
    expect(set(paces_in(log_of(calm), held["run"])) <= {0.0}, "the pace was not 0")
    print(f"fail-safe:  {taken} taken at pace 0, {left} left where they were")
    last = replayed.splitlines()[-1]
    expect(last.endswith(" 0 that come out otherwise"), f"pace replay: {last}")
    print("replay:     every decision comes out the same again")

    containers = [wire_of(share) for share in (busy, calm)]
    expect(len(containers[0]) == 2 * FILES, f"{len(containers[0])} files on the wire")
    expect(containers[0] == containers[1], "the containers differ")
    expect(full["batch_digest"] == quarter["batch_digest"], "the digests differ")
    print("Deterministic under burst [OK]")


def drop_burst(inbox: Path) -> None:
    """Drop many small files at once."""
    dice = random.Random(3)
    for number in range(FILES):
        data = dice.randbytes(50).hex().encode() * dice.randrange(1, 40)
        (inbox / f"reading-{number:03}.txt").write_bytes(data)


def log_of(share: Path) -> Path:
    """Return where the node logs."""
    return share / ".paxect" / "log" / "demo.jsonl"


def paces_in(log: Path, run: str) -> list[float]:
    """Return the pace of each decision of a run."""
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return [
        event["pace"]["pace"]["pace"]
        for event in events
        if event["run"] == run and event["event"] in ("pace", "pace_seen")
    ]


def wire_of(share: Path) -> dict[str, bytes]:
    """Return containers and sidecars by name."""
    return {path.name: path.read_bytes() for path in (share / "wire").iterdir()}


if __name__ == "__main__":
    sys.exit(perform(demo))
