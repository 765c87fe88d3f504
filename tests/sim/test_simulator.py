"""The simulator in its short form: known seeds, fresh ones, and deliberate mistakes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from plan import plan_of
from simulate import caught, failure_of, known_seeds, shrunk
from simulation import Simulation

import paxect_batch

_RUN = Path(__file__).with_name("simulate.py")

MISTAKES = (
    "skip the sync of files",
    "skip the sync of folders",
    "skip the sync of inbox, wire and outbox",
    "append records without a sync",
    "record nothing",
    "publish with replacing",
    "drop the identity check when retiring",
    "take a withdrawn stage for published",
    "adopt different bytes",
    "forget intents when recovering",
    "sweep without taking a run's word",
    "take every lease for over",
    "claim what others have",
)
"""Those that one seed of some forty finds, or more; RESULTS.md has all."""

ENOUGH = 300
"""Seeds for one of them; which finds it moves with every change of the program."""

FRESH = 300


def _first() -> int:
    program = Path(paxect_batch.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(program.rglob("*.py")):
        digest.update(path.read_bytes())
    return 10**7 + int.from_bytes(digest.digest()[:4]) * FRESH


@pytest.mark.slow
def test_seeds_and_those_that_failed_once_find_nothing() -> None:
    # Fresh ones for each state of the program, and the same for one: who checks it
    # again meets what the check before met.
    words = [f"--first={_first()}", f"--seeds={FRESH}", "--jobs=2", "--known"]
    outcome = subprocess.run(
        [sys.executable, _RUN, *words], capture_output=True, text=True, check=False
    )

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_deliberate_mistake_is_found_by_few_seeds(name: str) -> None:
    assert caught(name, range(ENOUGH)) is not None


def test_seed_played_twice_takes_the_same_steps() -> None:
    steps = []
    for _ in range(2):
        simulation = Simulation(plan_of(3))
        simulation.run()
        steps.append((simulation.turns.steps, simulation.turns.time, simulation.fired))

    assert steps[0] == steps[1]


@pytest.mark.slow
def test_failing_history_is_shrunk_to_faults_that_it_needs() -> None:
    from mutations import mutated

    with mutated("skip the sync of folders"):
        failing = next(seed for seed in range(100) if failure_of(plan_of(seed)))
        plan, dropped = shrunk(plan_of(failing))

        assert len(plan.faults) + len(dropped) == len(plan_of(failing).faults)
        assert failure_of(plan) is not None


def test_known_seeds_are_listed_with_their_finding() -> None:
    assert known_seeds()
