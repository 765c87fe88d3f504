#!/usr/bin/env python3
"""Three nodes empty one folder, one of them is killed, and nothing is lost.

    python demos/demo_7_three_nodes_one_killed.py [--tmux]

With --tmux each node has a pane to show its progress in.
"""

import argparse
import hashlib
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from stage import SECONDS_MAX, Stage, Untrue, command, expect, perform

FILES = 450
NODES = ("north", "south", "west")
VICTIM = "south"
LEASE_SECONDS = 2

Start = Callable[[Stage, Path], AbstractContextManager[None]]


def main() -> int:
    """Read the words, and run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tmux", action="store_true", help="give each node a pane")
    start = in_panes if parser.parse_args().tmux else as_processes
    return perform(partial(demo, start=start))


def demo(stage: Stage, start: Start) -> None:
    """Tell the whole story."""
    print("Three nodes empty one folder, and one of them is killed.\n")
    expected = one_node_alone(stage)
    share = stage.share()
    dropped = lay_out(share)
    print(f"  {len(dropped)} files are dropped into the inbox of a new share")
    print(f"  one node alone would give the batch digest {expected[:16]}...")
    with start(stage, share):
        print(f"  {', '.join(NODES[:-1])} and {NODES[-1]} begin, as three processes")
        kill(share)
        for node in NODES:
            if node != VICTIM:
                until(f"{node} ends", partial(audits, share, node))
    told = [audit for node in NODES for audit in audits(share, node)]
    for audit in told:
        files = audit["delivered"]["files"]
        print(f"  {audit['node']} ended by itself and had delivered {files} files")
    print("\nWhat became of it:\n")
    findings = list(look(share, dropped, expected, told))
    for is_true, text in findings:
        print(f"  [{'yes' if is_true else 'NO'}] {text}")
    expect(all(is_true for is_true, _ in findings), "this is not as it should be")
    print("\nThree nodes, one of them killed: nothing is lost, nothing came twice.")


def lay_out(share: Path) -> dict[str, str]:
    """Give a share a short lease and many files; return their SHA-256 by path."""
    marker = share / ".paxect" / "share.json"
    facts = {**json.loads(marker.read_text()), "lease_seconds": LEASE_SECONDS}
    marker.write_text(json.dumps(facts))
    dice, dropped = random.Random(42), {}
    for number in range(FILES):
        path = share / "inbox" / f"day-{number % 7}" / f"orders-{number:04}.csv"
        path.parent.mkdir(exist_ok=True)
        data = dice.randbytes(200).hex().encode() * dice.randrange(1, 100)
        path.write_bytes(data)
        dropped[path.relative_to(share / "inbox").as_posix()] = digest_of(data)
    return dropped


def one_node_alone(stage: Stage) -> str:
    """Relay the same files with one node; return its batch digest."""
    share = stage.share("alone")
    lay_out(share)
    return str(stage.drain(share).audit["batch_digest"])


def words_of(node: str, *more: str) -> list[str]:
    """Return the words that make a node of a command."""
    return ["drain", "--wait", "--workers", "1", "--node", node, *more]


@contextmanager
def as_processes(stage: Stage, share: Path) -> Iterator[None]:
    """Run the nodes beside this process, quietly."""
    running = [
        stage.start("paxect-batch", *words_of(node, "--quiet"), share) for node in NODES
    ]
    yield
    for process in running:
        process.communicate(timeout=SECONDS_MAX)


@contextmanager
def in_panes(stage: Stage, share: Path) -> Iterator[None]:
    """Run each node in a pane of a tmux of its own, and show it on a terminal."""
    tmux = ["tmux", "-f", os.devnull, "-S", str(stage.folder / "tmux")]
    run_tmux = partial(subprocess.run, env=stage.variables, check=True)
    program = command("paxect-batch")
    first, *others = (
        shlex.join([*program, *words_of(node, "--progress"), str(share)])
        for node in NODES
    )
    options = ["set-option", "-g", "remain-on-exit", "on", ";"]
    run_tmux([*tmux, *options, "new-session", "-d", first])
    shown = None
    try:
        for other in others:
            run_tmux([*tmux, "split-window", other])
        run_tmux([*tmux, "select-layout", "even-vertical"])
        if sys.stdin.isatty():
            shown = subprocess.Popen([*tmux, "attach"])
        yield
        if shown is not None:
            # For whoever watches; it has nothing to do with the result.
            time.sleep(3)
    finally:
        run_tmux([*tmux, "kill-server"], check=False)
        if shown is not None:
            shown.wait()


def kill(share: Path) -> None:
    """Kill one node in the middle of its work."""
    ledgers = share / ".paxect" / "ledger" / VICTIM
    until(
        f"{VICTIM} delivers files",
        lambda: any(
            b'"outbox"' in path.read_bytes() for path in ledgers.glob("*.jsonl")
        ),
    )
    lease = json.loads((share / ".paxect" / "nodes" / VICTIM / "lease").read_text())
    os.kill(lease["machine"]["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
    print(f"  {VICTIM} is killed in the middle of its work")


def look(
    share: Path, dropped: dict[str, str], expected: str, told: list[dict[str, Any]]
) -> Iterator[tuple[bool, str]]:
    """Say what is so, each with whether it is."""
    arrived = {
        path.relative_to(share / "outbox").as_posix(): digest_of(path.read_bytes())
        for path in files_below(share / "outbox")
    }
    whole = sum(arrived.get(path) == digest for path, digest in dropped.items())
    yield (
        arrived == dropped,
        f"{whole} of {len(dropped)} files are in the outbox, each byte for byte, "
        "and nothing else is",
    )
    left = [*files_below(share / "inbox"), *files_below(share / "wire")]
    yield not left, "nothing is left in the inbox or on the wire"
    taken = [event for event in events(share) if event["event"] == "take_over"]
    rescuers = " and ".join(sorted({event["node"] for event in taken})) or "nobody"
    yield (
        [event["src"] for event in taken] == [VICTIM],
        f"{rescuers} noticed, and finished what {VICTIM} had begun",
    )
    batches = [audit["batch"] for audit in told if audit["batch"]]
    parts = [part for batch in batches for part in batch["parts"]]
    counts = {part["node"]: part["delivered"]["files"] for part in parts}
    yield (
        # Whoever finished what another one had begun may tell of it too, and who began
        # late may have found nothing left.
        [batch["delivered"]["files"] for batch in batches] == [len(dropped)]
        and set(counts) <= set(NODES)
        and counts.get(VICTIM, 0) > 0,
        "each file was delivered once: "
        + ", ".join(f"{count} by {node}" for node, count in sorted(counts.items())),
    )
    yield (
        [batch["digest"] for batch in batches] == [expected],
        "the batch digest of all nodes is the one of a node alone",
    )


def audits(share: Path, node: str) -> list[dict[str, Any]]:
    """Return the audits that a node left on the share."""
    runs = share / ".paxect" / "runs" / node
    return [json.loads(path.read_text()) for path in sorted(runs.glob("*.json"))]


def events(share: Path) -> list[dict[str, Any]]:
    """Return what all nodes logged."""
    logs = sorted((share / ".paxect" / "log").glob("*.jsonl"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def files_below(folder: Path) -> list[Path]:
    """Return all files below a folder."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def until(what: str, holds: Callable[[], object]) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > end:
            raise Untrue(f"waited in vain until {what}")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
