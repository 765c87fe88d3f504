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
LEASE_SECONDS = 2
KILLED = (-getattr(signal, "SIGKILL", 0), int(signal.SIGTERM))
"""What a process that was killed ends with, here and on Windows."""
POLICY = 'version = "2"\n'

LookAfter = Callable[[], None]
"""Tells of a node that ended otherwise than it should."""
Start = Callable[[Stage, Path], AbstractContextManager[LookAfter]]


def main() -> int:
    """Read the words, and run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tmux", action="store_true", help="give each node a pane")
    start = in_panes if parser.parse_args().tmux else as_processes
    return perform(partial(demo, start=start))


def demo(stage: Stage, start: Start) -> None:
    """Tell the whole story."""
    print("Three nodes empty one folder, and one of them is killed.\n")
    files = samples()
    expected = one_node_alone(stage, files)
    share = stage.share(policy=POLICY)
    shorten_lease(share)
    print(f"  {', '.join(NODES[:-1])} and {NODES[-1]} begin, as three processes")
    print(f"  {len(files)} files are dropped into the inbox of their share")
    print(f"  one node alone would give the batch digest {expected[:16]}...")
    first, *rest = files
    awaited = drop(share, {first: files[first]})
    with start(stage, share) as look_after:
        # Nobody takes a file that still changes, nor goes while there is one.
        joined = partial(all_joined, share, still_written=awaited)
        until("all have joined", joined, look_after)
        drop(share, {name: files[name] for name in rest})
        victim = kill_one(share, look_after)
        others = [node for node in NODES if node != victim]
        for node in others:
            until(f"{node} ends", partial(audits, share, node), look_after)
    # Not before: with --tmux the terminal belonged to the panes.
    print(f"  {victim} was killed in the middle of its work")
    told = [audit for node in others for audit in audits(share, node)]
    for audit in told:
        count = audit["delivered"]["files"]
        print(f"  {audit['node']} ended by itself and had delivered {count} files")
    print("\nWhat became of it:\n")
    findings = [
        *look_at_files(share, files),
        *look_at_nodes(share, told, victim=victim),
        *look_at_batch(told, victim=victim, files=len(files), expected=expected),
    ]
    for is_true, text in findings:
        print(f"  [{'yes' if is_true else 'NO'}] {text}")
    expect(all(is_true for is_true, _ in findings), "this is not as it should be")
    print("\nThree nodes, one of them killed: nothing is lost, nothing came twice.")


def samples() -> dict[str, bytes]:
    """Return the files to be dropped, by their paths."""
    dice = random.Random(42)
    return {
        f"day-{number % 7}/orders-{number:04}.csv": (
            dice.randbytes(200).hex().encode() * dice.randrange(1, 100)
        )
        for number in range(FILES)
    }


def drop(share: Path, files: dict[str, bytes]) -> Path:
    """Drop files; return the path of the last."""
    for name, data in files.items():
        path = share / "inbox" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return path


def one_node_alone(stage: Stage, files: dict[str, bytes]) -> str:
    """Relay the same files with one node; return its batch digest."""
    share = stage.share("alone")
    drop(share, files)
    return str(stage.drain(share).audit["batch_digest"])


def shorten_lease(share: Path) -> None:
    """Have the nodes of a share notice sooner that one of them is gone."""
    marker = share / ".paxect" / "share.json"
    facts = {**json.loads(marker.read_text()), "lease_seconds": LEASE_SECONDS}
    marker.write_text(json.dumps(facts))


def words_of(node: str, *more: str) -> list[str]:
    """Return the words that make a node of a command."""
    return ["drain", "--wait", "--workers", "1", "--node", node, *more]


@contextmanager
def as_processes(stage: Stage, share: Path) -> Iterator[LookAfter]:
    """Run the nodes beside this process, quietly."""
    running = {
        node: stage.start("paxect-batch", *words_of(node, "--quiet"), share)
        for node in NODES
    }

    def look_after() -> None:
        for node, process in running.items():
            code = process.poll()
            if code and code not in KILLED:
                said, _ = process.communicate()
                raise Untrue(f"{node} ended with {code}: {said.strip()}")

    yield look_after
    for process in running.values():
        process.communicate(timeout=SECONDS_MAX)
    look_after()


@contextmanager
def in_panes(stage: Stage, share: Path) -> Iterator[LookAfter]:
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
        yield lambda: None
        if shown is not None:
            # For whoever watches; it has nothing to do with the result.
            time.sleep(3)
    finally:
        run_tmux([*tmux, "kill-server"], check=False)
        if shown is not None:
            shown.wait()


def lease_of(share: Path, node: str) -> Path:
    """Return the file by which a node shows that it lives."""
    return share / ".paxect" / "nodes" / node / "lease"


def all_joined(share: Path, *, still_written: Path) -> bool:
    """Tell whether all nodes are there; until then go on writing a file."""
    still_written.touch()
    return all(lease_of(share, node).exists() for node in NODES)


def kill_one(share: Path, look_after: LookAfter) -> str:
    """Kill whoever delivers first, in the middle of its work; return its name."""
    ledgers = share / ".paxect" / "ledger"

    def first() -> str:
        for node in NODES:
            for ledger in (ledgers / node).glob("*.jsonl"):
                if b'"outbox"' in ledger.read_bytes():
                    return node
        return ""

    until("a node delivers files", first, look_after)
    victim = first()
    lease = json.loads(lease_of(share, victim).read_text())
    os.kill(lease["machine"]["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
    return victim


def look_at_files(share: Path, dropped: dict[str, bytes]) -> Iterator[tuple[bool, str]]:
    """Say what became of the files, each with whether it is so."""
    digests = {name: digest_of(data) for name, data in dropped.items()}
    outbox = share / "outbox"
    arrived = {
        path.relative_to(outbox).as_posix(): digest_of(path.read_bytes())
        for path in files_below(outbox)
    }
    whole = sum(arrived.get(name) == digest for name, digest in digests.items())
    yield (
        arrived == digests,
        f"{whole} of {len(dropped)} files are in the outbox, each byte for byte, "
        "and nothing else is",
    )
    left = [*files_below(share / "inbox"), *files_below(share / "wire")]
    yield not left, "nothing is left in the inbox or on the wire"


def look_at_nodes(
    share: Path, told: list[dict[str, Any]], *, victim: str
) -> Iterator[tuple[bool, str]]:
    """Say what became of the nodes."""
    taken = [event for event in events(share) if event["event"] == "take_over"]
    rescuers = " and ".join(sorted({event["node"] for event in taken})) or "nobody"
    yield (
        [event["src"] for event in taken] == [victim]
        and all(audit["exit_code"] == 0 for audit in told),
        f"{rescuers} noticed, and finished what {victim} had begun",
    )


def look_at_batch(
    told: list[dict[str, Any]], *, victim: str, files: int, expected: str
) -> Iterator[tuple[bool, str]]:
    """Say what all nodes did together, as the last of them adds it up."""
    batches = [audit["batch"] for audit in told if audit["batch"]]
    parts = [part for batch in batches for part in batch["parts"]]
    nodes = {part["node"] for part in parts if part["delivered"]["files"]}
    yield (
        [batch["delivered"]["files"] for batch in batches] == [files]
        and {victim} < nodes <= set(NODES),
        f"{files} files were delivered once each, by {', '.join(sorted(nodes))}",
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


def until(what: str, holds: Callable[[], object], look_after: LookAfter) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        look_after()
        if time.monotonic() > end:
            raise Untrue(f"waited in vain until {what}")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
