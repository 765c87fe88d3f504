"""Several real nodes on one share: what each was told, did, and left behind."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dropped_files import mixed
from relayed_share import (
    LONG,
    Consumer,
    Finished,
    RelayedShare,
    counted,
    files_below,
    finish,
    wait_until,
)

from paxect_batch.world.batch_choice import KEY
from paxect_batch.world.claim_owners import read_owner
from paxect_batch.world.claims import marker_name

FILES = 2_000 if LONG else 1_000
NODES = tuple(f"node{number}" for number in range(8 if LONG else 4))
LEASE_SECONDS = 2.0

_LEFT_OF_NODES = ("over", "batches")
"""Folders of the state that hold nothing once no node is left."""


def shared(folder: Path, *, lease_seconds: float = LEASE_SECONDS) -> RelayedShare:
    """Lay out a share on which leases last that long."""
    share = RelayedShare.lay_out(folder)
    marker = share.state / "share.json"
    facts = json.loads(marker.read_text())
    marker.write_text(json.dumps(facts | {"lease_seconds": lease_seconds}))
    return share


def drop_files(share: RelayedShare, count: int = FILES) -> None:
    """Drop the same files whenever it is called."""
    large = [(1 << 20, 2 << 20)] * 2
    for name, data in mixed(random.Random(count), count - 2, large=large):
        share.drop(name, data)


def start(share: RelayedShare, *words: str, node: str) -> subprocess.Popen[str]:
    """Start a node with one worker: there are more nodes than cores."""
    return share.start("--workers", "1", *words, node=node)


def events(share: RelayedShare, name: str) -> list[dict]:
    """Return the events of that name in the logs of all nodes."""
    logs = sorted((share.state / "log").glob("*.jsonl"))
    lines = [line for log in logs for line in log.read_text().splitlines(keepends=True)]
    # What is just being written has no end yet.
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event for event in found if event["event"] == name]


def claims_of(share: RelayedShare, node: str) -> int:
    """Return how many claims on items a node has."""
    paths = (share.state / "claims").glob("*.lock")
    owners = [read_owner(str(p)) for p in paths if p.name != marker_name(KEY)]
    return sum(owner is not None and owner[0] == node for owner in owners)


def has_come_to(share: RelayedShare, node: str, kind: str) -> bool:
    """Tell whether a node has claims, or papers of that kind."""
    if kind == "claims":
        return claims_of(share, node) > 0
    return bool(files_below(share.state / kind / node))


def left_of_nodes(share: RelayedShare) -> list[str]:
    """Return what lies where nothing should once no node is left."""
    places = [share.state / name for name in _LEFT_OF_NODES]
    found = [path for place in places for path in place.rglob("*") if path.is_file()]
    found += (share.state / "nodes").glob("*/lease")
    return sorted(str(path.relative_to(share.state)) for path in found)


@dataclass
class Outcome:
    """What all nodes of a batch did."""

    runs: dict[str, Finished]
    taken: list[tuple[bytes, str]]
    """What the consumer got."""

    def check(self, share: RelayedShare, digest: str, *, gone: Iterable[str]) -> None:
        """See that each file arrived once and all is accounted for.

        `digest` is what one node alone gives; `gone` are nodes that were killed.
        """
        wrong = counted(self.taken, share.dropped)
        assert not wrong, wrong[:20]
        left = [name for name in share.crumbs() if not _is_of_a_moment(name)]
        left += left_of_nodes(share)
        assert not left, left[:20]
        living = {node: run for node, run in self.runs.items() if node not in gone}
        for node, run in living.items():
            assert run.code == 0, (node, run.code, run.err)
            assert run.sum_closes, (node, run.audit)
            assert run.audit["seen"] == run.audit["delivered"], (node, run.audit)
            assert run.audit["bias_flags"] == 0, (node, run.audit)
        batches = [run.audit["batch"] for run in living.values() if run.audit["batch"]]
        assert [batch["digest"] for batch in batches] == [digest], batches
        (batch,) = batches
        assert batch["delivered"]["files"] == len(share.dropped), batch
        assert not batch["mixed"], batch
        assert {part["node"] for part in batch["parts"]} == set(self.runs), batch


def _is_of_a_moment(name: str) -> bool:
    """Tell whether a file is one that a killed process leaves for an hour."""
    return ".paxect-" in name and name.endswith(".tmp")


class Relaying:
    """Nodes at work while a consumer takes all that arrives at once."""

    def __init__(self, share: RelayedShare, nodes: Iterable[str] = NODES) -> None:
        self.share = share
        self.consumer = Consumer(share, share.folder.parent / "taken")
        self.processes = {node: start(share, "--wait", node=node) for node in nodes}

    def until(self, node: str, kind: str) -> subprocess.Popen[str]:
        """Wait for a node to have something of that kind; return its process."""
        process = self.processes[node]
        came = wait_until(lambda: has_come_to(self.share, node, kind), process=process)
        assert came, f"{node} ended before it had {kind}"
        return process

    def finish(self) -> Outcome:
        """Wait for all nodes to end."""
        runs = {node: finish(process) for node, process in self.processes.items()}
        return Outcome(runs, self.consumer.found)
