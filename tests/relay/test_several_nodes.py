"""Several nodes on one share: at once, in turn, and waiting for each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.locks import Register
from nodes_bench import FEW, MANY, NAMES, NodeRun, Turns, bench_with, crumbs, sum_closes
from relay_bench import Bench, SteppedClock, policy_with

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.events import Event
from paxect_batch.model.policy import OnDone


def drained_at_once(
    bench: Bench, register: Register, seed: int, **options: object
) -> list[NodeRun]:
    """Let three nodes drain in turns, with a consumer that takes what appears."""
    turns = Turns(seed)

    def go_on(number: int, name: str) -> None:
        bench.take_all()
        turns.step()

    runs = [NodeRun(bench, register, name, before=go_on, **options) for name in NAMES]
    turns.run(list(runs))
    bench.take_all()
    return runs


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_nodes_at_once_deliver_each_file_once_and_account_for_it_once(
    tmp_path: Path, seed: int
) -> None:
    bench, register = bench_with(tmp_path, MANY), Register()
    runs = drained_at_once(bench, register, seed)
    bench.check_delivered_once()
    assert sum(run.standing.delivered_files for run in runs) == len(MANY)
    assert all(sum_closes(run.standing) for run in runs)
    assert crumbs(bench) == []
    assert register.claims == {}


def test_what_another_failed_with_is_tried_no_sooner_than_it_may_be_again(
    tmp_path: Path,
) -> None:
    """Also by who saw it before that, and has its claim after."""
    policy = policy_with(attempts=9, backoff_seconds=1000.0)
    for point in range(1000):
        bench, register = bench_with(tmp_path / str(point), {}), Register()
        (bench.wire / "bad.freq").write_bytes(b"no container")

        def fail_first(number: int, name: str, at: int = point) -> None:
            if number == at:
                NodeRun(bench, register, "south", policy=policy)()  # noqa: B023

        north = NodeRun(bench, register, "north", before=fail_first, policy=policy)
        north()
        assert len(bench.events.named(Event.DECODE_ERROR)) == 1
        if north.share.count <= point:
            break
    assert point > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nodes_at_once_deliver_each_file_once_where_sources_stay(
    tmp_path: Path, seed: int
) -> None:
    bench = bench_with(tmp_path, MANY)
    policy = policy_with(on_done=OnDone.KEEP)
    runs = drained_at_once(bench, Register(), seed, policy=policy)
    assert sorted(bench.taken) == sorted(bench.dropped.items())
    assert sum(run.standing.delivered_files for run in runs) == len(MANY)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_batch_of_nodes_at_once_is_that_of_one_node(tmp_path: Path, seed: int) -> None:
    alone = NodeRun(bench_with(tmp_path / "alone", MANY), Register(), "alone")
    alone()
    assert alone.batch is None
    bench, register, turns = bench_with(tmp_path / "n", MANY), Register(), Turns(seed)

    def go_on(number: int, name: str) -> None:
        turns.step()

    runs = [NodeRun(bench, register, name, before=go_on) for name in NAMES]
    turns.run(list(runs))
    batches = [run.batch for run in runs if run.batch is not None]
    assert len(batches) == 1
    (batch,) = batches
    assert batch.digest == alone.node.digest
    assert not batch.mixed
    assert batch.delivered.files == len(MANY)
    assert batch.delivered.bytes == sum(map(len, MANY.values()))
    assert sorted(part.node for part in batch.parts) == sorted(NAMES)
    assert sum(part.delivered.files for part in batch.parts) == len(MANY)
    assert crumbs(bench) == []


@pytest.mark.parametrize("dies", [False, True], ids=["finishes", "dies"])
def test_drain_that_waits_ends_when_the_items_of_others_are_done(
    tmp_path: Path, dies: bool
) -> None:
    """The other one is asleep with an item in hand, then finishes it, or dies."""
    bench, register, turns = bench_with(tmp_path, FEW), Register(), Turns(1)
    asleep = [True]

    class Waiting(SteppedClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.seconds > 30:
                asleep[0] = False
            turns.step()

    def sleep(number: int, name: str) -> None:
        if name == "open_source" and asleep[0]:
            while asleep[0]:
                turns.step()
            if dies:
                holds.die()

    holds = NodeRun(bench, register, "north", before=sleep)
    clock = Waiting()
    waits = NodeRun(bench, register, "south", wait=True, clock=clock)
    started: list[bool] = []

    def wait_for_other() -> None:
        while not holds.locks.held:
            turns.step()
        started.append(True)
        waits()

    turns.run([holds, wait_for_other])
    assert started
    assert clock.seconds > 30
    assert waits.standing.elsewhere_files == 0
    bench.check_delivered_once()


def test_drain_that_does_not_wait_takes_over_who_was_silent_from_its_beginning(
    tmp_path: Path,
) -> None:
    """As from cron, each run of which is shorter than a lease."""
    bench, register = bench_with(tmp_path, FEW), Register()

    def die(number: int, name: str) -> None:
        if name == "rename_new":
            gone.die()

    gone = NodeRun(bench, register, "north", before=die)
    gone()
    assert gone.is_dead
    unknown, register.over = register.over, []
    comes = NodeRun(bench, register, "south")

    def listen() -> Iterator[bool]:
        yield from [True] * 20
        register.over += unknown
        yield True

    comes.locks.unheard = listen()
    comes()
    bench.check_delivered_once()
    assert register.over == []


def test_drain_that_does_not_wait_leaves_what_others_hold_to_them(
    tmp_path: Path,
) -> None:
    bench, register, turns = bench_with(tmp_path, FEW), Register(), Turns(1)
    gone: list[bool] = []

    def sleep(number: int, name: str) -> None:
        while name == "open_source" and not gone:
            turns.step()

    holds = NodeRun(bench, register, "north", before=sleep)
    leaves = NodeRun(bench, register, "south")

    def leave() -> None:
        while not holds.locks.held:
            turns.step()
        leaves()
        gone.append(True)

    turns.run([holds, leave])
    assert leaves.standing.elsewhere_files == len(FEW)
    assert leaves.standing.seen_files == 0
    bench.check_delivered_once()
    assert holds.batch is not None
    assert [part.delivered.files for part in holds.batch.parts] == [len(FEW), 0]


def test_nodes_with_different_codecs_mix_a_batch_on_purpose_only(
    tmp_path: Path,
) -> None:
    bench, register, turns = bench_with(tmp_path, FEW), Register(), Turns(3)
    refused = NodeRun(bench, register, "west", codec="zstandard 9")

    def go_on(number: int, name: str) -> None:
        turns.step()

    def step_in(number: int, name: str) -> None:
        if number == 0:
            with pytest.raises(ConfigError, match="--allow-mixed"):
                refused()
        turns.step()

    mixes = NodeRun(
        bench, register, "south", before=go_on, codec="zstandard 9", allow_mixed=True
    )
    joins = NodeRun(bench, register, "north", before=step_in)

    def join_after() -> None:
        while not register.nodes:
            turns.step()
        mixes()

    turns.run([joins, join_after])
    assert [line[1] for line in bench.events.named(Event.MIXED)] == ["north", "south"]
    assert joins.standing.mixed
    assert mixes.standing.mixed
    batch = joins.batch or mixes.batch
    assert batch is not None
    assert batch.mixed
    bench.check_delivered_once()
