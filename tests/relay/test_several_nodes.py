"""Several nodes on one share: at once, in turn, dying, and taken for dead."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from nodes_bench import NodeRun, Turns, bench_with, sum_closes
from relay_bench import Bench, SteppedClock, files_below

from paxect_batch.model.errors import ConfigError, RunOver
from paxect_batch.model.events import Event
from paxect_batch.model.policy import OnDone, Policy

LONG = {"n" * 255: b"a name that travels by an alias"}
FEW = {"a.txt": b"alpha" * 100, "sub/b.bin": bytes(range(256)) * 9}
MANY = {f"f{number}/{number}": b"%d" % number * number for number in range(9)} | FEW
NAMES = ("north", "south", "west")


def crumbs(bench: Bench) -> list[Path]:
    """Return what no node should leave when nothing is left to do."""
    folders = ("stage", "intents", "attempts", "meta", "quarantine", "batches")
    return [path for name in folders for path in files_below(bench.state / name)]


def half_way(folder: Path, files: dict[str, bytes]) -> tuple[Bench, Register]:
    """Return a share on whose wire all files are, as a node died that made them."""
    bench, register = bench_with(folder, files), Register()

    def die(number: int, name: str) -> None:
        if not files_below(bench.inbox):
            first.die()

    first = NodeRun(bench, register, "first", before=die)
    first()
    assert [path for path in files_below(bench.wire) if path.suffix == ".freq"]
    return bench, register


def operations(folder: Path) -> int:
    """Return how many operations a node takes that is alone."""
    run = NodeRun(bench_with(folder, FEW), Register(), "north")
    run()
    return run.share.count


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_nodes_at_once_deliver_each_file_once_and_account_for_it_once(
    tmp_path: Path, seed: int
) -> None:
    bench, register, turns = bench_with(tmp_path, MANY), Register(), Turns(seed)

    def go_on(number: int, name: str) -> None:
        bench.take_all()
        turns.step()

    runs = [NodeRun(bench, register, name, before=go_on) for name in NAMES]
    turns.run(list(runs))
    bench.check_delivered_once()
    assert sum(run.standing.delivered_files for run in runs) == len(MANY)
    assert all(sum_closes(run.standing) for run in runs)
    assert crumbs(bench) == []
    assert register.claims == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nodes_at_once_deliver_each_file_once_where_sources_stay(
    tmp_path: Path, seed: int
) -> None:
    bench, register, turns = bench_with(tmp_path, MANY), Register(), Turns(seed)
    policy = Policy(
        version="2", settle_seconds=0.0, backoff_seconds=0.0, on_done=OnDone.KEEP
    )

    def go_on(number: int, name: str) -> None:
        bench.take_all()
        turns.step()

    runs = [NodeRun(bench, register, n, before=go_on, policy=policy) for n in NAMES]
    turns.run(list(runs))
    bench.take_all()
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


@pytest.mark.slow
def test_node_that_dies_at_any_operation_is_rescued_by_another(tmp_path: Path) -> None:
    for point in range(operations(tmp_path / "count")):
        bench, register = bench_with(tmp_path / str(point), FEW), Register()

        def die(number: int, name: str, at: int = point) -> None:
            if number == at:
                dies.die()  # noqa: B023  used before the loop goes on

        dies = NodeRun(bench, register, "north", before=die)
        dies()
        assert dies.is_dead
        assert bench.whole_somewhere() == set()
        bench.take_all()
        rescuer = NodeRun(bench, register, "south")
        rescuer()
        bench.check_delivered_once()
        assert register.over == []
        assert register.claims == {}
        assert sum_closes(rescuer.standing)
        assert not list(bench.state.glob("intents/north/*"))


@pytest.mark.slow
def test_container_that_lost_its_long_name_to_a_node_that_died_is_nobody_elses(
    tmp_path: Path,
) -> None:
    alone = NodeRun(*half_way(tmp_path / "count", LONG), "south")
    alone()
    points = range(alone.share.count)
    deaths = [loses_its_name(tmp_path / str(point), at=point) for point in points]
    assert sum(deaths) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", *LONG])
def test_equal_file_that_comes_while_the_first_one_is_decoded_arrives_by_its_name(
    tmp_path: Path, name: str
) -> None:
    for seed in range(40):
        bench, register = bench_with(tmp_path / f"{seed}", {name: b"equal"}), Register()
        turns, steps = Turns(seed), iter(range(1_000_000))
        comes_at = random.Random(seed).randrange(60, 160)

        def go_on(number: int, operation: str) -> None:
            comes_again(next(steps))  # noqa: B023  used before the loop goes on
            turns.step()  # noqa: B023  likewise

        def comes_again(step: int) -> None:
            bench.take_all()  # noqa: B023  likewise
            if step == comes_at and not (bench.inbox / name).exists():  # noqa: B023
                bench.drop(name, b"equal")  # noqa: B023  likewise

        turns.run(
            [
                NodeRun(bench, register, node, before=go_on, wait=True)
                for node in ("north", "south")
            ]
        )
        NodeRun(bench, register, "west")()
        bench.take_all()
        assert {arrived for arrived, _ in bench.taken} == {name}
        assert crumbs(bench) == []
        assert files_below(bench.wire) == []


def loses_its_name(folder: Path, *, at: int) -> bool:
    """Let another node take a container's name away, and die, while one drains.

    Tell if it did; else the container was gone by then.
    """
    bench, register = half_way(folder, LONG)

    def die(number: int, name: str) -> None:
        if files_below(bench.wire) and not files_below(bench.state / "meta"):
            north.die()

    def let_north_die(number: int, name: str) -> None:
        bench.take_all()
        if number == at:
            north()

    north = NodeRun(bench, register, "north", before=die)
    NodeRun(bench, register, "south", before=let_north_die)()
    bench.check_delivered_once()
    assert register.claims == {}
    return north.is_dead


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_nodes_that_die_while_others_work_are_rescued_in_the_same_drain(
    tmp_path: Path, seed: int
) -> None:
    """Two of three die, the second maybe while it rescues the first."""
    bench, register, turns = bench_with(tmp_path, MANY), Register(), Turns(seed)
    dice = random.Random(seed)
    deaths = {"north": dice.randrange(400), "west": dice.randrange(400)}
    runs: dict[str, NodeRun] = {}

    def go_on_as(name: str) -> None:
        def go_on(number: int, operation: str) -> None:
            bench.take_all()
            turns.step()
            if deaths.get(name) == number:
                runs[name].die()

        runs[name] = NodeRun(bench, register, name, before=go_on, wait=True)

    for name in NAMES:
        go_on_as(name)
    turns.run(list(runs.values()))
    last = NodeRun(bench, register, "last")
    last()
    bench.check_delivered_once()
    assert register.over == []
    assert register.claims == {}


@pytest.mark.slow
def test_rescuer_that_dies_at_any_operation_is_rescued_too(tmp_path: Path) -> None:
    first = 3 * operations(tmp_path / "count") // 5
    point, rescuer_died = 0, True
    while rescuer_died:
        bench, register = bench_with(tmp_path / str(point), FEW), Register()
        runs: list[NodeRun] = []
        for at in (first, point):

            def die(number: int, name: str, at: int = at) -> None:
                if number == at:
                    runs[-1].die()  # noqa: B023  used before the loop goes on

            runs.append(NodeRun(bench, register, NAMES[len(runs)], before=die))
            runs[-1]()
            assert bench.whole_somewhere() == set()
            bench.take_all()
        rescuer_died = runs[-1].is_dead
        last = NodeRun(bench, register, "west")
        last()
        bench.check_delivered_once()
        assert register.over == []
        assert register.claims == {}
        point += 3
    assert point > 60


@pytest.mark.slow
def test_node_taken_for_dead_at_any_operation_begins_no_step_that_counts(
    tmp_path: Path,
) -> None:
    """What it was in the middle of it may end; after that it finds its lease lost."""
    stopped = 0
    for point in range(operations(tmp_path / "count")):
        bench, register = bench_with(tmp_path / str(point), FEW), Register()

        def lose(number: int, name: str, at: int = point) -> None:
            if number == at:
                loses.lose()  # noqa: B023  used before the loop goes on

        loses = NodeRun(bench, register, "north", before=lose)
        try:
            loses()
        except RunOver as error:
            assert "begins anew" in error.message  # noqa: PT017
            assert bench.events.named(Event.LEASE_LOST)
            stopped += 1
        assert loses.moves_when_lost is not None
        late = loses.moves[loses.moves_when_lost :]
        assert len(set(late)) <= 1
        assert len(late) <= len(FEW)
        assert bench.whole_somewhere() == set()
        bench.take_all()
        NodeRun(bench, register, "south")()
        bench.check_delivered_once()
        assert register.claims == {}
    assert stopped > 40


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_node_taken_for_dead_begins_anew_beside_its_rescuer(
    tmp_path: Path, seed: int
) -> None:
    bench, register, turns = bench_with(tmp_path, MANY), Register(), Turns(seed)
    point = random.Random(seed).randrange(20, 300)
    lives: list[NodeRun] = []

    def go_on(number: int, name: str) -> None:
        bench.take_all()
        turns.step()

    def lose(number: int, name: str) -> None:
        go_on(number, name)
        if number == point:
            lives[0].lose()

    lives.append(NodeRun(bench, register, "north", before=lose))

    def live_twice() -> None:
        try:
            lives[0]()
        except RunOver:
            lives.append(
                NodeRun(
                    bench,
                    register,
                    "north",
                    before=go_on,
                    locks=lives[0].locks,
                    account=lives[0].node.account,
                )
            )
            lives[1]()

    other = NodeRun(bench, register, "south", before=go_on)
    turns.run([live_twice, other])
    NodeRun(bench, register, "west")()
    bench.check_delivered_once()
    assert register.over == []
    assert register.claims == {}


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


def test_rescue_that_cannot_be_finished_yet_is_told_once(tmp_path: Path) -> None:
    """As while a file server keeps a name in the dead run's folder."""
    bench, register = bench_with(tmp_path, FEW), Register()

    def die(number: int, name: str) -> None:
        if name == "open_source":
            dies.die()

    dies = NodeRun(bench, register, "north", before=die)
    dies()
    (folder,) = (bench.state / "intents/north").iterdir()
    kept = folder / "kept"
    kept.mkdir()
    looks: Counter[str] = Counter()

    class Slow(SteppedClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            looks["slept"] += 1
            if looks["slept"] == 20:
                kept.rmdir()

    rescuer = NodeRun(bench, register, "south", wait=True, clock=Slow())
    rescuer()
    assert looks["slept"] >= 20
    assert len(bench.events.named(Event.TAKE_OVER)) == 1
    bench.check_delivered_once()
    assert FakeLocks(register).over() == []
