"""A source that goes between its claim and the worker that opens it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.executor import InlineExecutor
from relay_bench import Bench

from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.work.lots import do_lot

FILES = 5


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    for number in range(FILES):
        made.drop(f"file-{number}", b"%d" % number)
    return made


class _TakesFirst:
    """An executor by which the first item was somebody else's in time."""

    def __init__(self, bench: Bench, *, then: bytes | None = None) -> None:
        self._bench = bench
        self._then = then
        self._share = bench.share()
        self.taken = ""

    def __call__(self, lot: Lot) -> tuple[Outcome, ...]:
        if not self.taken:
            self.taken = lot.tasks[0].source.name
            path = self._bench.inbox / self.taken
            path.unlink()
            del self._bench.dropped[self.taken]
            if self._then is not None:
                self._bench.drop(self.taken, self._then)
        return do_lot(self._share, lot)


def test_source_that_is_gone_when_it_is_opened_is_nobodys_failure(bench: Bench) -> None:
    standing = bench.drain(executor=InlineExecutor(_TakesFirst(bench)))
    assert standing.seen_files == standing.delivered_files == FILES - 1
    assert standing.exit_codes == set()
    bench.check_delivered_once()


def test_source_that_was_gone_when_it_was_opened_counts_not_as_one_of_few(
    bench: Bench,
) -> None:
    standing = bench.drain(
        executor=InlineExecutor(_TakesFirst(bench)), files_max=FILES - 1
    )
    assert standing.delivered_files == FILES - 1
    bench.check_delivered_once()


def test_source_that_was_replaced_when_it_is_opened_travels_as_what_it_is_then(
    bench: Bench,
) -> None:
    executor = InlineExecutor(_TakesFirst(bench, then=b"another"))
    standing = bench.drain(executor=executor)
    assert standing.delivered_files == FILES
    bench.check_delivered_once()
