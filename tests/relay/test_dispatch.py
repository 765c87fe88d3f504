"""What is out with the workers, and what is left of it when a run ends at once."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
from fakes.executor import InlineExecutor
from relay_samples import bench_of

from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.dispatch import Dispatcher
from paxect_batch.work.lots import do_lot


class Pool:
    """Workers of whom each lot's fate is told by hand."""

    def __init__(self) -> None:
        self.futures: list[Future[tuple[Outcome, ...]]] = []

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        self.futures.append(Future())
        return self.futures[-1]

    def stop(self) -> None:
        pass


class Held:
    """A claim that is this node's."""

    def release(self) -> None:
        pass

    def stands(self) -> bool:
        return True


@pytest.fixture
def lots(tmp_path: Path) -> list[Lot]:
    """Return two lots with items."""
    bench = bench_of(tmp_path, 5)
    share = bench.share()
    executor = InlineExecutor(lambda lot: do_lot(share, lot))
    bench.drain(share, executor=executor)
    return executor.lots[:2]


def dispatched(pool: Pool, lots: list[Lot]) -> Dispatcher:
    dispatcher = Dispatcher(pool, workers=2, bytes_max=1)
    for lot in lots:
        dispatcher.send(lot, tuple(Held() for _ in lot.tasks))
    return dispatcher


def test_what_a_pool_that_broke_ends_leaves_every_lot_to_be_abandoned(
    lots: list[Lot],
) -> None:
    """Of a lot that is in neither hand nobody would give back the claims."""
    pool = Pool()
    dispatcher = dispatched(pool, lots)
    pool.futures[0].set_result(())
    pool.futures[1].set_exception(RuntimeError("the pool is broken"))
    with pytest.raises(RuntimeError):
        dispatcher.collect()
    assert [flight.lot for flight in dispatcher.abandon()] == lots


def test_nothing_counts_as_out_once_all_was_abandoned(lots: list[Lot]) -> None:
    """A watch goes on after that, and would wait for it for ever."""
    dispatcher = dispatched(Pool(), lots)
    assert dispatcher.files > 0
    assert dispatcher.giants
    dispatcher.abandon()
    assert (dispatcher.files, dispatcher.bytes, dispatcher.lots) == (0, 0, 0)
    assert not dispatcher.giants
    assert not dispatcher.is_full()
