#!/usr/bin/env python3
"""Three nodes empty one folder, one of them is killed, and nothing is lost.

    .venv/bin/python demos/three_nodes.py [--tmux]

On a folder of its own, which is gone afterwards. With --tmux each node has a pane to
show its progress in. Exits 0 only if all that it says is true.
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
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

FILES = 900
NODES = ("north", "south", "west")
VICTIM = "south"
LEASE_SECONDS = 2
SECONDS_MAX = 300.0
"""After so long without what is waited for, the demo gives up."""

COMMAND = (sys.executable, "-m", "paxect_batch")
POLICY = 'version = "2"\nsettle_seconds = 0.0\n'


class GivenUp(Exception):
    """Something that had to happen did not."""


def main() -> int:
    """Run the demo; return 0 if all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tmux", action="store_true", help="give each node a pane")
    words = parser.parse_args()
    start = in_panes if words.tmux else as_processes
    try:
        with tempfile.TemporaryDirectory(prefix="paxect-demo-") as folder:
            # Nodes lock their names in the temporary folder, and leave the files.
            os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder))
            return demo(Path(folder), start)
    except (GivenUp, OSError, subprocess.SubprocessError) as error:
        print(f"three_nodes: {error}", file=sys.stderr)
        return 1


def demo(folder: Path, start: Callable[[Path], AbstractContextManager[None]]) -> int:
    """Tell the whole story; return 0 if it has a good end."""
    share = folder / "share"
    print("Three nodes empty one folder, and one of them is killed.\n")
    expected = one_node_alone(folder / "alone")
    dropped = lay_out(share)
    print(f"  {len(dropped)} files are dropped into the inbox of a new share")
    print(f"  one node alone would give the batch digest {expected[:16]}...")
    with start(share):
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
    if not all(is_true for is_true, _ in findings):
        print("\nThis is not as it should be.")
        return 1
    print("\nThree nodes, one of them killed: nothing is lost, nothing came twice.")
    return 0


def lay_out(share: Path) -> dict[str, str]:
    """Make a share with files; return their SHA-256 by their paths."""
    subprocess.run([*COMMAND, "init", "--quiet", str(share)], check=True)
    state = share / ".paxect"
    (state / "policy.toml").write_text(POLICY)
    marker = json.loads((state / "share.json").read_text())
    marker["lease_seconds"] = LEASE_SECONDS
    (state / "share.json").write_text(json.dumps(marker))
    dice, dropped = random.Random(42), {}
    for number in range(FILES):
        path = share / "inbox" / f"day-{number % 7}" / f"orders-{number:04}.csv"
        path.parent.mkdir(exist_ok=True)
        data = dice.randbytes(200).hex().encode() * dice.randrange(1, 100)
        path.write_bytes(data)
        dropped[str(path.relative_to(share / "inbox"))] = digest_of(data)
    return dropped


def one_node_alone(share: Path) -> str:
    """Relay the same files with one node; return its batch digest."""
    lay_out(share)
    words = [*COMMAND, "drain", "--quiet", "--node", "alone", str(share)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    (audit,) = audits(share, "alone")
    return str(audit["batch_digest"])


def drain(share: Path, node: str, *words: str) -> list[str]:
    """Return the command that is a node."""
    options = ["--wait", "--workers", "1", "--node", node, *words]
    return [*COMMAND, "drain", *options, str(share)]


@contextmanager
def as_processes(share: Path) -> Iterator[None]:
    """Run the nodes beside this process, quietly."""
    null = subprocess.DEVNULL
    running = [
        subprocess.Popen(drain(share, node), stdout=null, stderr=null) for node in NODES
    ]
    try:
        yield
        for process in running:
            process.wait(SECONDS_MAX)
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextmanager
def in_panes(share: Path) -> Iterator[None]:
    """Run each node in a pane of a tmux of its own, and show it on a terminal."""
    tmux = ["tmux", "-f", os.devnull, "-S", str(share.parent / "tmux")]
    first, *others = (shlex.join(drain(share, node, "--progress")) for node in NODES)
    options = ["set-option", "-g", "remain-on-exit", "on", ";"]
    subprocess.run([*tmux, *options, "new-session", "-d", first], check=True)
    try:
        for command in others:
            subprocess.run([*tmux, "split-window", command], check=True)
        subprocess.run([*tmux, "select-layout", "even-vertical"], check=True)
        shown = subprocess.Popen([*tmux, "attach"]) if sys.stdin.isatty() else None
        yield
        if shown is not None:
            # For whoever watches; it has nothing to do with the result.
            time.sleep(3)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
        if sys.stdin.isatty() and shown is not None:
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
    pid = lease["machine"]["pid"]
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    print(f"  {VICTIM}, process {pid}, is killed in the middle of its work")


def look(
    share: Path, dropped: dict[str, str], expected: str, told: list[dict[str, Any]]
) -> Iterator[tuple[bool, str]]:
    """Say what is so, each with whether it is."""
    arrived = {
        str(path.relative_to(share / "outbox")): digest_of(path.read_bytes())
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
        # Whoever finished what another one had begun may tell of it too.
        [batch["delivered"]["files"] for batch in batches] == [len(dropped)]
        and set(counts) == set(NODES),
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
            raise GivenUp(f"waited in vain until {what}")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
