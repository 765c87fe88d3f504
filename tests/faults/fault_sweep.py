"""Sweep all faults, or as many as there is time for, and write down what they found.

    python tests/faults/fault_sweep.py                   # all of them, on all cores
    python tests/faults/fault_sweep.py --seconds 600     # a sample, drawn by --seed
    python tests/faults/fault_sweep.py --again "lots worker write 3 ENOSPC fills"

The table goes into RESULTS.md beside this file, in place of the one before. Exits 1 if
anything was wrong.
"""

from __future__ import annotations

import argparse
import errno
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ROOT = os.path.dirname(_TESTS)
sys.path[:0] = [
    *(os.path.join(_TESTS, name) for name in ("faults", "system", "relay", "")),
    os.path.join(_ROOT, "core"),
    _ROOT,
]

from fault_bench import SCENARIOS, counts_of, faults_of, problems_after  # noqa: E402
from faulty_system import ERRORS, Fault  # noqa: E402
from relayed_share import memory_folder  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")
_BEGIN, _END = "<!-- sweep begins -->\n", "<!-- sweep ends -->\n"

_POINTS_AT_ONCE = 10
"""So many points a process is given at a time."""

Point = tuple[str, Fault]
Found = tuple[Point, list[str]]


class Sweep:
    """Points, in an order of their own, and what was found at each."""

    def __init__(self, seed: int) -> None:
        self.points: list[Point] = [
            (scenario, fault) for scenario in SCENARIOS for fault in faults_of(scenario)
        ]
        self.calls = {name: sum(counts_of(name).values()) for name in SCENARIOS}
        random.Random(seed).shuffle(self.points)
        self.tried: list[Point] = []
        self.wrong: list[Found] = []
        self.seconds = 0.0

    def go(self, seconds: float, *, jobs: int) -> None:
        """Try point after point for as long as told, in so many processes."""
        start = time.monotonic()
        for point, found in _tried(self.points, jobs):
            self.seconds = time.monotonic() - start
            self.tried.append(point)
            if found:
                self.wrong.append((point, found))
                print(told(point), *found, sep="\n    ", flush=True)
            if len(self.tried) % 500 == 0:
                print(f"{len(self.tried)} of {len(self.points)}", flush=True)
            if self.seconds > seconds:
                return

    def table(self, seed: int, *, jobs: int) -> str:
        """Return what is written down of it."""
        all_of = Counter(scenario for scenario, _ in self.points)
        tried = Counter(scenario for scenario, _ in self.tried)
        wrong = Counter(scenario for (scenario, _), _ in self.wrong)
        lines = [
            f"{datetime.now(UTC):%Y-%m-%d}, seed {seed}, {self.seconds:.0f} seconds, "
            f"{jobs} process(es).",
            "",
            "| run | calls | faults it can meet | tried | failures |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| {name} | {self.calls[name]:,} | {all_of[name]:,} | "
                f"{tried[name]:,} | {wrong[name]} |"
                for name in SCENARIOS
            ),
            "",
            "| call | may answer | tried in the coordinator | in the worker |",
            "| --- | --- | --- | --- |",
        ]
        by_call = Counter((fault.role, fault.kind) for _, fault in self.tried)
        for kind, errors in ERRORS.items():
            names = ", ".join(errno.errorcode[number] for number in errors)
            counts = [by_call[role, kind] for role in ("coordinator", "worker")]
            lines.append(f"| {kind} | {names} | {counts[0]:,} | {counts[1]:,} |")
        how = Counter(
            name
            for _, fault in self.tried
            for name in ("forever", "happens", "fills")
            if getattr(fault, name)
        )
        lines += [
            "",
            f"Of these {how['forever']:,} went on for ever, {how['happens']:,} failed "
            f"although they happened, and {how['fills']:,} found the disk full, from "
            "then on and in the middle of a write.",
        ]
        return "\n".join(lines) + "\n"


def _tried(points: list[Point], jobs: int) -> Iterator[Found]:
    """Try all, in whatever order they come to their ends."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as ground:
        found_here = partial(found_at, ground=ground)
        if jobs == 1:
            yield from map(found_here, points)
            return
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            yield from pool.imap_unordered(found_here, points, _POINTS_AT_ONCE)


def found_at(point: Point, *, ground: str) -> Found:
    """Try one point; return it, and what was wrong."""
    scenario, fault = point
    with tempfile.TemporaryDirectory(dir=ground) as folder:
        try:
            return point, problems_after(scenario, fault, Path(folder))
        except Exception as error:  # noqa: BLE001  it is what was looked for
            return point, ["".join(traceback.format_exception(error)[-3:])]


def told(point: Point) -> str:
    """Return the words by which `--again` finds a point."""
    return f"{point[0]} {point[1]}"


def write_down(table: str) -> None:
    """Put the table where the one before stood."""
    before, _, rest = RESULTS.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    RESULTS.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", encoding="utf-8")


def main() -> int:
    """Sweep as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", help="one fault, as it was told, and nothing else")
    asked = parser.parse_args()
    sweep = Sweep(asked.seed)
    if asked.again:
        sweep.points = [point for point in sweep.points if told(point) == asked.again]
        if not sweep.points:
            parser.error(f"no such fault: {asked.again}")
    sweep.go(asked.seconds, jobs=asked.jobs)
    table = sweep.table(asked.seed, jobs=asked.jobs)
    print(table)
    if not asked.again:
        write_down(table)
    return 1 if sweep.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
