"""Items that kill their workers are told from a machine that kills them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.executor import InlineExecutor
from relay_bench import Bench, reasons

from paxect_batch.model.errors import Exit, NoWorkers
from paxect_batch.model.events import Event
from paxect_batch.model.transfer import Lot
from paxect_batch.relay.deaths import DEATHS_MAX, IN_A_ROW_MAX
from paxect_batch.work.lots import do_lot

FILES = 40


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    for number in range(FILES):
        made.drop(f"file-{number:02}", b"%d" % number)
    return made


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
    standing = bench.drain(executor=dying(bench, lambda _lot: True))
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
