"""Run seeds of the simulator; see docs/simulator.md."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1]), str(_HERE.parents[1] / "core")]

import time

from plan import plan_of  # noqa: E402
from simulation import Ended, Simulation  # noqa: E402


def main():
    a, b = int(sys.argv[1]), int(sys.argv[2])
    steps = 0
    t = time.monotonic()
    bad = 0
    n = 0
    verbose = len(sys.argv) > 3
    for seed in range(a, b):
        s = Simulation(plan_of(seed), tell=print if verbose else None)
        n += 1
        try:
            s.run()
        except Ended as e:
            bad += 1
            print("seed", seed, e, "steps", e.steps, "fired", e.fired)
            if verbose:
                import traceback

                traceback.print_exc()
        steps += s.turns.steps
    t = time.monotonic() - t
    print(
        n,
        "seeds",
        bad,
        "bad",
        steps,
        "steps",
        f"{steps / t * 60:.0f} per minute {t:.1f} s",
    )


if os.environ.get("PYTHONHASHSEED") != "0":
    os.execve(
        sys.executable,
        [sys.executable, *sys.argv],
        {**os.environ, "PYTHONHASHSEED": "0"},
    )
main()
