"""What seeds have found, each as a scenario of its own."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator

import msgspec
import pytest
from calls import Calls, Mount
from disk import Disk
from plan import Drop, Fault, calm_plan
from simulation import Simulation
from system import FOLDER, Host, SimLocks, World, installed
from turns import Process, Turns

from paxect_batch.model.leases import Lease
from paxect_batch.seams import Applicant

TWO_NODES = calm_plan(2)._replace(
    waits=False,
    drops=(Drop(0.0, "a.txt", "rename"), Drop(0.0, "b.txt", "rename")),
    step_seconds=0.001,
    turn_steps_max=4,
    eager=1.0,
)


class Stage:
    """A share on which processes do one thing after the other."""

    def __init__(self) -> None:
        self.disk = Disk()
        for folder in ("inbox", "outbox", "wire", FOLDER):
            self.disk.make(folder)
        self.disk.sync_folder(self.disk.root)
        self.turns = Turns(random.Random(1), steps_max=100_000)
        self.disk.clock = lambda: self.turns.time
        self.world = World(self.turns)

    def process(self, name: str) -> Process:
        process = Process(name)
        self.world.calls[process] = Calls(self.disk, self.turns, process, Mount())
        self.world.hosts[process] = host = Host(name)
        self.world.machines[process] = host.start(process)
        return process

    def do(self, process: Process, thing: Callable[[], object]) -> object:
        results: list[object] = []
        act = self.turns.spawn(process, lambda: results.append(thing()))
        self.turns.run(until=lambda: act.is_over)
        return results[0]

    def joined(self, process: Process, run: str) -> SimLocks:
        locks = SimLocks(FOLDER, now=lambda: self.turns.time)
        self.do(process, lambda: locks.join(Applicant(node=process.name, run=run)))
        return locks

    def names(self, folder: str) -> list[str]:
        return sorted(self.disk.folder(folder).names)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    with installed(made.world):
        yield made
        made.turns.end_all()


def test_sweep_of_claims_while_a_rescue_is_adopted_leaves_claims_of_the_dead_run(
    stage: Stage,
) -> None:
    # The paper of a run that is over changes its name when its rescuer dies; whoever
    # read of it in that instant swept the run's claims before it was recovered.
    node = stage.process("node")
    locks = stage.joined(node, "r2")
    dead = f"{FOLDER}/over/r1~gone"
    stage.disk.make(f"{FOLDER}/over")
    paper = Lease(
        node="dead",
        run="r1",
        batch="r1",
        machine=Host("dead").start(Process("dead")),
        seconds=10.0,
        since="",
    )
    for path, content in (
        (dead, msgspec.json.encode(paper)),
        (f"{FOLDER}/claims/1.lock", b"r1 dead\n"),
    ):
        stage.disk.write(stage.disk.create(path), content)

    def adopt(process: Process, name: str, path: str) -> None:
        if (name, path) == ("read", dead) and stage.disk.find(dead) is not None:
            stage.disk.rename(dead, f"{FOLDER}/over/r1~next", replaces=False)

    stage.turns.on_step = adopt
    stage.do(node, locks.leave)

    assert stage.names(f"{FOLDER}/claims") == ["1.lock"]


@pytest.mark.slow
def test_node_that_the_share_fails_at_any_sync_keeps_what_it_promised_from_others() -> (
    None
):
    # A run that failed between publishing and recording gave its claims and its lease
    # back, so that the next node delivered the item a second time.
    for count in range(12, 32):
        fault = Fault("error", "fsync-folder", count, 0, 50.0, 2 * errno.EIO + 1)
        Simulation(TWO_NODES._replace(seed=count, faults=(fault,))).run()


@pytest.mark.slow
def test_item_that_a_run_promised_before_a_power_cut_is_nobody_elses_afterwards() -> (
    None
):
    # Claims are not durable, and the intent's maker may be the last to come back.
    for count in range(8, 40):
        fault = Fault("power", "fsync-folder", count, 0, 1.0)
        Simulation(TWO_NODES._replace(seed=count, faults=(fault,), nodes=2)).run()


def test_lease_when_the_share_loses_power_after_joining_is_still_there(
    stage: Stage,
) -> None:
    # Without it nobody would know whose the intents are that are there still.
    for number in range(20):
        node = stage.process(f"node{number}")
        stage.joined(node, f"r{number}")
        stage.disk.lose_power(random.Random(number))

        assert "lease" in stage.names(f"{FOLDER}/nodes/{node.name}")


def test_claim_that_a_run_takes_after_it_was_buried_is_given_back(stage: Stage) -> None:
    # Nobody else looked after it, so that all who waited for the item waited for ever.
    sleeper, other = stage.process("sleeper"), stage.process("other")
    locks = stage.joined(sleeper, "r1")
    stage.joined(other, "r2")
    stage.disk.remove(f"{FOLDER}/nodes/sleeper/lease")
    assert stage.do(sleeper, lambda: locks.claim("item")) is not None
    assert stage.do(sleeper, locks.stands) is False

    stage.do(sleeper, locks.leave)

    assert stage.names(f"{FOLDER}/claims") == []
