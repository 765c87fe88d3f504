"""Items that kill their workers are told from a machine that kills them all."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from fakes.executor import InlineExecutor
from relay_bench import Bench, SteppedClock, StopAfter, WatchedShare, reasons
from relay_samples import bench_of

from paxect_batch.model.errors import Exit, NoWorkers, ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay import gather, rounds
from paxect_batch.relay.deaths import DEATHS_MAX, IN_A_ROW_MAX, Deaths
from paxect_batch.relay.dispatch import Dispatcher, Flight
from paxect_batch.rules import plan
from paxect_batch.seams import Share, WorkerDied
from paxect_batch.work.lots import do_lot

FILES = 40


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(tmp_path, FILES)


def dying(bench: Bench, dies: Callable[[Lot], bool]) -> InlineExecutor:
    share = bench.share()
    return InlineExecutor(lambda lot: do_lot(share, lot), dies=dies)


def holding(*names: str) -> Callable[[Lot], bool]:
    return lambda lot: any(task.source.name.startswith(names) for task in lot.tasks)


def deaths(bench: Bench) -> int:
    return sum(event is Event.WORKER_DIED for event, *_ in bench.events.lines)


def test_machine_that_kills_every_worker_has_no_item_set_aside(bench: Bench) -> None:
    executor = dying(bench, lambda _lot: True)
    with pytest.raises(NoWorkers, match="items are as they were") as met:
        bench.drain(executor=executor)
    assert met.value.exit_code == Exit.NOT_READY
    assert deaths(bench) >= IN_A_ROW_MAX
    assert reasons(bench) == []
    assert bench.drain().delivered_files == FILES
    bench.check_delivered_once()


def test_run_that_ends_for_want_of_workers_counts_every_file_once(bench: Bench) -> None:
    node = bench.node(executor=dying(bench, lambda _lot: True))
    with pytest.raises(NoWorkers):
        node.run()
    standing = node.standing
    # None of them being delivered or set aside, all of them count as waiting.
    assert standing.seen_files == FILES
    assert standing.seen_bytes == sum(map(len, bench.dropped.values()))
    assert standing.set_aside_files == standing.delivered_files == 0


@pytest.mark.parametrize("killers", [1, 3, 10])
def test_items_that_kill_their_workers_are_set_aside_once_others_lived(
    bench: Bench, killers: int
) -> None:
    names = tuple(f"file-{4 * number:02}" for number in range(killers))
    standing = bench.drain(executor=dying(bench, holding(*names)))
    assert standing.set_aside_files == killers
    assert standing.delivered_files == FILES - killers
    assert {reason["code"] for reason in reasons(bench)} == {"worker-killed"}
    assert len(reasons(bench)) == killers


def test_item_that_kills_its_workers_is_set_aside_where_it_is_alone(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    bench.drop("only", b"bytes")
    standing = bench.drain(executor=dying(bench, holding("only")))
    assert deaths(bench) == DEATHS_MAX
    assert standing.set_aside_files == 1
    (reason,) = reasons(bench)
    assert reason["code"] == "worker-killed"


def test_workers_that_die_with_many_items_cost_nothing_if_each_alone_is_done(
    bench: Bench,
) -> None:
    standing = bench.drain(executor=dying(bench, lambda lot: len(lot.tasks) > 1))
    assert deaths(bench) > 0
    assert standing.delivered_files == FILES
    bench.check_delivered_once()


def test_machine_that_kills_every_worker_is_no_fault_of_its_only_item(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    bench.drop("only", b"bytes")
    with pytest.raises(NoWorkers):
        bench.drain(executor=dying(bench, lambda _lot: True))
    assert reasons(bench) == []
    assert bench.drain().delivered_files == 1


def test_trial_has_a_worker_do_what_the_item_that_it_died_with_asks_for(
    bench: Bench,
) -> None:
    executor = dying(bench, holding("file-07"))
    bench.drain(executor=executor)
    trials = [lot.trial for lot in executor.lots if lot.trial is not None]
    assert trials
    levels = {task.level for lot in executor.lots for task in lot.tasks}
    assert {trial.level for trial in trials} == levels
    assert all(not lot.tasks for lot in executor.lots if lot.trial is not None)


class Queue:
    """Workers that take lots in turn, one whenever it is looked at."""

    def __init__(self, share: Share, dies: Callable[[Lot], bool]) -> None:
        self._share = share
        self._dies = dies
        self._lots: deque[tuple[Lot, Future[tuple[Outcome, ...]]]] = deque()

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        self._lots.append((lot, future))
        return future

    def do_one(self) -> None:
        if not self._lots:
            return
        lot, future = self._lots.popleft()
        if self._dies(lot):
            future.set_exception(WorkerDied("died"))
        else:
            future.set_result(do_lot(self._share, lot))

    def stop(self) -> None:
        self._lots.clear()


@pytest.mark.parametrize("killers", [8, 16, 40])
def test_items_that_kill_their_workers_and_come_first_keep_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killers: int
) -> None:
    """Large files come first, and each by itself: no other lot comes between them."""
    large = bytes(4000)
    monkeypatch.setattr(rounds, "BIG_BYTES_MIN", len(large))
    for module in (plan, gather):
        monkeypatch.setattr(module, "LOT_BYTES_MAX", len(large))
    bench = Bench(tmp_path)
    for number in range(killers):
        bench.drop(f"killer-{number:02}", large)
    for number in range(FILES):
        bench.drop(f"file-{number:02}", b"%d" % number)
    clock = SteppedClock()
    queue = Queue(bench.share(), holding("killer"))

    def go_on(_looks: int) -> None:
        queue.do_one()
        clock.seconds += 0.05

    standing = bench.drain(
        executor=queue,
        clock=clock,
        watch=True,
        workers=2,
        poll_seconds=1.0,
        stop=StopAfter(4000, go_on),
    )
    assert standing.set_aside_files == killers
    assert standing.delivered_files == FILES
    assert not bench.events.named(Event.SHARE_TROUBLE)


def test_watch_on_a_machine_that_kills_every_worker_sets_nothing_aside(
    tmp_path: Path,
) -> None:
    """A few files at a time never made for many deaths in one pass."""
    bench = Bench(tmp_path)
    dropped = 0

    def drop(looks: int) -> None:
        nonlocal dropped
        if looks % 200 == 0 and dropped < 35:
            for _ in range(7):
                bench.drop(f"file-{dropped:02}", b"x")
                dropped += 1

    standing = bench.drain(
        executor=dying(bench, lambda _lot: True),
        clock=SteppedClock(),
        watch=True,
        poll_seconds=1.0,
        stop=StopAfter(3000, drop),
    )
    assert dropped == 35
    assert standing.set_aside_files == 0
    assert reasons(bench) == []


@pytest.mark.parametrize("number", [1, 5, 10])
def test_share_that_fails_as_a_worker_died_leaves_sums_that_close(
    tmp_path: Path, number: int
) -> None:
    bench = Bench(tmp_path)
    for file in range(10):
        bench.drop(f"file-{file}", b"%d" % file)
    removals = 0
    has_died = False

    def refuse(_number: int, name: str) -> None:
        nonlocal removals
        removals += name == "remove" and has_died
        if removals == number and name == "remove":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def die(_lot: Lot) -> bool:
        nonlocal has_died
        has_died = True
        return True

    node = bench.node(
        WatchedShare(bench.share(), before=refuse), executor=dying(bench, die)
    )
    with pytest.raises((ShareError, NoWorkers)):
        node.run()
    assert node.standing.seen_files == 10
    assert bench.drain().delivered_files == 10
    bench.check_delivered_once()


def test_machine_that_lacks_memory_for_the_large_is_no_fault_of_the_large(
    tmp_path: Path,
) -> None:
    """A trial of less than they take would live, and speak against all of them."""
    bench = Bench(tmp_path)
    for number in range(FILES):
        bench.drop(f"large-{number:02}", bytes(10_000 + number))

    def short(lot: Lot) -> bool:
        tasks = lot.tasks if lot.trial is None else (lot.trial,)
        return any(task.identity.size >= 10_000 for task in tasks)

    with pytest.raises(NoWorkers):
        bench.drain(executor=dying(bench, short))
    assert reasons(bench) == []
    assert bench.drain().delivered_files == FILES


def test_run_whose_only_death_was_chance_ends_well_though_trials_die(
    bench: Bench,
) -> None:
    left = [1]

    def dies(lot: Lot) -> bool:
        return lot.trial is not None or bool(left and left.pop())

    standing = bench.drain(executor=dying(bench, dies))
    assert standing.delivered_files == FILES


def test_what_a_dead_worker_had_staged_is_gone_when_its_item_is_tried_again(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    bench.drop("only", b"bytes")
    share = bench.share()
    staged: list[Place] = []
    found: list[Place] = []

    def dies(lot: Lot) -> bool:
        found.extend(place for place in staged if share.look(place))
        if staged or not lot.tasks:
            return False
        staged.extend([lot.tasks[0].stage, lot.tasks[0].sidecar])
        for place in staged:
            share.create(place).close()
        return True

    bench.drain(executor=dying(bench, dies))
    assert len(staged) == 2
    assert found == []
    bench.check_delivered_once()


def test_trial_asks_as_much_as_the_largest_of_what_a_worker_died_with(
    bench: Bench,
) -> None:
    bench.drop("large", bytes(10_000))
    executor = dying(bench, lambda lot: len(lot.tasks) > 1)
    bench.drain(executor=executor)
    (first, *_) = [lot.trial for lot in executor.lots if lot.trial is not None]
    assert first.identity.size == 10_000


def test_trial_that_died_counts_no_more_once_a_worker_lived(bench: Bench) -> None:
    executor = dying(bench, lambda _lot: False)
    bench.drain(executor=executor)
    (task, *_) = executor.lots[0].tasks
    deaths = Deaths(
        bench.share(), bench.events, Dispatcher(executor, workers=1, bytes_max=1)
    )
    deaths.died(Flight(Lot(0, (), trial=task), ()))
    deaths.came_back(Flight(Lot(1, ()), ()))
    for number in range(IN_A_ROW_MAX):
        deaths.died(Flight(Lot(number, ()), ()))
    deaths.require_life()
