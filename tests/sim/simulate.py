"""Run seeds of the simulator; docs/simulator.md says how to read what it prints."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1]), str(_HERE.parents[1] / "core")]

from mutations import MUTATIONS, mutated  # noqa: E402
from plan import Plan, plan_of  # noqa: E402
from simulation import Ended, Simulation  # noqa: E402

SEEDS = _HERE / "SEEDS"
"""Seeds that failed once, one a line, with what they had found."""


def main() -> int:
    """Do as the words say; 0 if nothing was found, or a mutation was."""
    options = _options()
    if options.seed is not None:
        return _replay(options.seed, set(options.drop), history=not options.brief)
    if options.mutations:
        return _try_mutations(options.seeds, options.first)
    seeds: Iterable[int] = range(options.first, options.first + options.seeds)
    if options.known:
        seeds = [*known_seeds(), *seeds]
    return _run_many(seeds, options.jobs, options.seconds)


def known_seeds() -> list[int]:
    """Return the seeds that failed once."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and line[0].isdigit()]


def failure_of(plan: Plan) -> str | None:
    """Return what is wrong with a plan; None if nothing."""
    try:
        Simulation(plan).run()
    except Ended as problem:
        return str(problem)
    return None


def shrunk(plan: Plan) -> tuple[Plan, list[int]]:
    """Drop the faults that a failing plan fails without; tell which they were."""
    dropped: list[int] = []
    for number in range(len(plan.faults)):
        without = _without(plan, {*dropped, number})
        if failure_of(without) is not None:
            dropped.append(number)
    return _without(plan, set(dropped)), dropped


def _without(plan: Plan, numbers: set[int]) -> Plan:
    kept = [each for number, each in enumerate(plan.faults) if number not in numbers]
    return plan._replace(faults=tuple(kept))


def _replay(seed: int, dropped: set[int], *, history: bool) -> int:
    plan = _without(plan_of(seed), dropped)
    print(*plan._asdict().items(), sep="\n")
    try:
        Simulation(plan, tell=print if history else None).run()
    except Ended as problem:
        print(f"seed {seed} after {problem.steps} steps: {problem}")
        return 1
    print(f"seed {seed}: nothing found")
    return 0


def _run_one(seed: int) -> tuple[int, int, int, str | None]:
    simulation = Simulation(plan_of(seed))
    problem = None
    try:
        simulation.run()
    except Ended as ended:
        problem = str(ended)
    return seed, simulation.turns.steps, simulation.fired, problem


def _until(seeds: Iterable[int], end: float) -> Iterator[int]:
    for seed in seeds:
        if time.monotonic() >= end:
            return
        yield seed


def _run_many(seeds: Iterable[int], jobs: int, seconds: float) -> int:
    began = time.monotonic()
    steps = fired = count = 0
    failed: list[int] = []
    with multiprocessing.Pool(jobs) as pool:
        chosen = _until(seeds, began + seconds)
        for seed, its_steps, its_faults, problem in _results(pool, chosen):
            steps, fired, count = steps + its_steps, fired + its_faults, count + 1
            if problem is not None:
                failed.append(seed)
                print(f"seed {seed}: {problem[:300]}", flush=True)
    lasted = time.monotonic() - began
    print(
        f"{count} seeds, {len(failed)} failed, {fired} faults, {steps} steps in "
        f"{lasted:.0f} s: {steps / max(lasted, 0.001) * 60:,.0f} a minute"
    )
    for seed in failed[:3]:
        _explain(seed)
    return 1 if failed else 0


def _results(
    pool: multiprocessing.pool.Pool, seeds: Iterator[int]
) -> Iterator[tuple[int, int, int, str | None]]:
    # A chunk at a time: a pool would take all seeds at once, however late it is.
    while chunk := [seed for _, seed in zip(range(200), seeds, strict=False)]:
        yield from pool.imap_unordered(_run_one, chunk, chunksize=10)


def _explain(seed: int) -> None:
    plan, dropped = shrunk(plan_of(seed))
    print(f"seed {seed} fails with these alone:")
    print(*(f"  {fault}" for fault in plan.faults), sep="\n")
    words = "".join(f" --drop {number}" for number in dropped)
    print(f"  replay: python tests/sim/simulate.py --seed {seed}{words}")


def _try_mutations(seeds: int, first: int) -> int:
    missed = 0
    print("| mutation | found by seed no. | as |\n| --- | --- | --- |")
    for name in MUTATIONS:
        found = caught(name, range(first, first + seeds))
        missed += found is None
        tries, problem = found or (0, "NOT FOUND")
        print(f"| {name} | {tries} | {problem[:60].split(':')[0]} |", flush=True)
    return 1 if missed else 0


def caught(name: str, seeds: Iterable[int]) -> tuple[int, str] | None:
    """Return how many seeds it took to find a mutation, and as what; None if not."""
    healthy: Counter[str] = Counter()
    for tries, seed in enumerate(seeds, 1):
        with mutated(name):
            problem = failure_of(plan_of(seed))
        if problem is not None:
            # What fails without it proves nothing.
            if failure_of(plan_of(seed)) is None:
                return tries, problem
            healthy["not its own"] += 1
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one, with its history")
    parser.add_argument("--brief", action="store_true", help="without the history")
    parser.add_argument("--drop", type=int, action="append", default=[])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--known", action="store_true", help="those that failed, too")
    parser.add_argument("--mutations", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets are gone through in an order of their hashes, which a replay must keep.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    sys.exit(main())
