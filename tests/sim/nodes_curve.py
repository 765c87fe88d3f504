"""How a share's work goes with the number of nodes: a curve, and the law it follows.

The nodes are those of the simulator: the real coordinator, claims and leases. Time is a
model of a file server: each call takes so long for who makes it, and keeps the server
busy for a part of that, one call after the other. What nodes compute takes no time, so
the curve shows what sharing costs, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1]), str(_HERE.parents[1] / "core")]

from disk import START, File  # noqa: E402
from plan import Plan, calm_plan  # noqa: E402
from simulation import Simulation  # noqa: E402
from system import FOLDER  # noqa: E402
from turns import Process, Turns  # noqa: E402

from paxect_batch.world.hands import hands_beside  # noqa: E402

NODES = (1, 2, 4, 8, 16, 32, 64)
LEASE_SECONDS = 10.0


class Served(Turns):
    """Turns on a clock that a file server decides."""

    def __init__(
        self, dice: random.Random, *, call_seconds: float, server_seconds: float
    ) -> None:
        super().__init__(dice, steps_max=sys.maxsize)
        self._call_seconds = call_seconds
        self._server_seconds = server_seconds
        self._free_at = START

    def step(self, name: str, path: str) -> None:
        """Make a call: it waits until the server has come to it, and for the wire."""
        assert self.current is not None
        process = self.current.process
        self.steps += 1
        if self.on_step is not None:
            self.on_step(process, name, path)
        self._free_at = max(self._free_at, self.time) + self._server_seconds
        self.sleep(max(self._free_at - self.time, self._call_seconds))


class Point(NamedTuple):
    """What so many nodes did with so many files."""

    nodes: int
    files: int
    seconds: float
    """From the start of all nodes to the last file's arrival."""
    end_seconds: float
    """Until the last node knew that all was done, and left."""
    claims: int
    claims_lost: int
    calls: int
    """Calls of all kinds until the last file's arrival."""
    lease_calls: int
    """Those of them on leases and on papers beside them."""
    least_files: int
    most_files: int
    """How many files the laziest and the busiest node took."""

    @property
    def lost_part(self) -> float:
        """Which part of the claims was another node's."""
        return self.claims_lost / self.claims

    @property
    def calls_a_file(self) -> float:
        """Calls that the file took, but for leases."""
        return (self.calls - self.lease_calls) / self.files

    @property
    def lease_calls_a_second(self) -> float:
        """Calls on leases in a second, of each node."""
        return self.lease_calls / self.seconds / self.nodes


class Curve(Simulation):
    """Nodes that start at once on a full inbox, each with a drain that waits."""

    def __init__(self, nodes: int, files: int, turns: Turns) -> None:
        super().__init__(_plan(nodes), turns=turns)
        self._files = files
        self._arrived_at = START
        self._calls: Counter[bool] = Counter()
        self._at_arrival: Counter[bool] = Counter()
        self._contents_of: dict[str, bytes] = {}

    def point(self) -> Point:
        """Play it, and return what was seen."""
        self.run()
        taken = [each.delivered_files for each in self.standings]
        calls = self._at_arrival
        return Point(
            nodes=self.plan.nodes,
            files=self._files,
            seconds=self._arrived_at - START,
            end_seconds=self.turns.time - START,
            claims=sum(each.claims_tried for each in self.standings),
            claims_lost=sum(each.claims_lost for each in self.standings),
            calls=calls.total(),
            lease_calls=calls[True],
            least_files=min(taken),
            most_files=max(taken),
        )

    def _play(self) -> None:
        for folder in ("inbox", "outbox", "wire", FOLDER):
            self.disk.make(folder)
        for number in range(self._files):
            name = f"{number:06}.txt"
            self._contents_of[name] = f"{name} {number * 7919}".encode()
            file = self.disk.create(f"inbox/{name}")
            self.disk.write(file, self._contents_of[name])
        # What is asked at each step of a fault run would take all the time here.
        self.disk.on_gone = self.disk.on_replaced = lambda *told: None
        self.turns.on_step = self._count
        self.is_closing = True
        for slot in self.slots:
            self._start(slot, after_seconds=0.0)
        self.turns.run(until=self._is_quiet)
        self.turns.on_step = None
        self._check()

    def _count(self, process: Process, name: str, path: str) -> None:
        self._calls[f"{FOLDER}/nodes" in path or f"{FOLDER}/over" in path] += 1

    def _named(self, path: str, file: File) -> None:
        if path.startswith("outbox/") and not path.rpartition("/")[2].startswith("."):
            self._arrived_at = self.turns.time
            self._at_arrival = self._calls.copy()

    def _check(self) -> None:
        """See to it that each file arrived once; a curve of mistakes tells nothing."""
        there = {
            path.removeprefix("outbox/"): file.content
            for path, file in self.disk.files("outbox")
            if not path.startswith("outbox/.")
        }
        assert there == self._contents_of
        assert not [path for path, _ in self.disk.files("inbox") if "/." not in path]
        assert sum(each.delivered_files for each in self.standings) == self._files


def _plan(nodes: int) -> Plan:
    plan = calm_plan(nodes)
    return plan._replace(
        seed=nodes, lease_seconds=LEASE_SECONDS, hands=hands_beside(nodes - 1)
    )


class Model(NamedTuple):
    """What is played: how much there is to do, and the file server."""

    files: int
    call_seconds: float
    server_seconds: float

    def point(self, nodes: int) -> Point:
        """Play it with so many nodes."""
        dice = random.Random(f"curve {nodes}")
        turns = Served(
            dice, call_seconds=self.call_seconds, server_seconds=self.server_seconds
        )
        return Curve(nodes, self.files, turns).point()


def main() -> int:
    """Play the curve and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=6400)
    parser.add_argument("--nodes", type=int, nargs="+", default=NODES)
    parser.add_argument("--call-ms", type=float, default=1.0)
    parser.add_argument("--server-us", type=float, default=20.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the points into this file")
    options = parser.parse_args()
    model = Model(options.files, options.call_ms / 1e3, options.server_us / 1e6)
    print(
        "| nodes | to the last file | speed-up | claims lost | calls a file | "
        "lease calls of a node | files of a node |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    points = []
    with multiprocessing.Pool(options.jobs) as pool:
        for point in pool.imap(model.point, options.nodes):
            points.append(point)
            print(_row(point, points[0]), flush=True)
    if options.json is not None:
        facts = {**model._asdict(), "points": [point._asdict() for point in points]}
        options.json.write_text(json.dumps(facts, indent=2) + "\n")
    return 0


def _row(point: Point, first: Point) -> str:
    speed_up = first.seconds * first.nodes / point.seconds
    return (
        f"| {point.nodes} | {point.seconds:.2f} s | {speed_up:.1f} "
        f"| {point.claims_lost} ({100 * point.lost_part:.2f} %) "
        f"| {point.calls_a_file:.1f} | {point.lease_calls_a_second:.1f} a second "
        f"| {point.least_files} to {point.most_files} |"
    )


if __name__ == "__main__":
    sys.exit(main())
