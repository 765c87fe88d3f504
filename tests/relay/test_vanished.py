"""A source that goes between its claim and the worker that opens it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from fakes.executor import InlineExecutor
from relay_bench import Bench, WatchedShare, policy_with, reasons
from relay_samples import bench_of

from paxect_batch.model.errors import Exit
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.work.lots import do_lot

FILES = 5


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(tmp_path, FILES)


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


def with_the_first_lot(
    bench: Bench, act: Callable[[str], None], *, lots: int = 1
) -> InlineExecutor:
    """Return one that does so to each item of the first lot, or lots, in time."""
    share = bench.share()
    left = lots

    def handle(lot: Lot) -> tuple[Outcome, ...]:
        nonlocal left
        if left:
            left -= 1
            for task in lot.tasks:
                act(task.source.name)
        return do_lot(share, lot)

    return InlineExecutor(handle)


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_run_of_few_files_goes_on_where_those_it_took_were_gone(
    bench: Bench, gone: int
) -> None:
    """It ended, as nothing had come of what it took."""
    executor = with_the_first_lot(
        bench, lambda name: (bench.inbox / name).unlink(), lots=gone
    )
    standing = bench.drain(executor=executor, files_max=1, mode=Mode.ENCODE)
    assert (standing.delivered_files, standing.stopped) == (1, "max-files")


def test_containers_that_were_gone_count_not_as_some_of_few(bench: Bench) -> None:
    bench.drain(mode=Mode.ENCODE)
    gone: list[str] = []

    def unlink(name: str) -> None:
        gone.append(name)
        (bench.wire / name).unlink()

    standing = bench.drain(
        executor=with_the_first_lot(bench, unlink), files_max=2, mode=Mode.RELAY
    )
    assert len(gone) == 2
    assert standing.delivered_files == 2


def test_files_that_changed_count_not_as_some_of_few(bench: Bench) -> None:
    changed: list[str] = []

    def write_over(name: str) -> None:
        changed.append(name)
        (bench.inbox / name).write_bytes(b"another")

    standing = bench.drain(
        executor=with_the_first_lot(bench, write_over), files_max=2, mode=Mode.ENCODE
    )
    assert len(changed) == 2
    assert standing.delivered_files == 2


def test_run_of_few_files_ends_where_one_seems_gone_for_ever(bench: Bench) -> None:
    class Stale(WatchedShare):
        def open_source(self, place: Place) -> IO[bytes]:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(place))

    standing = bench.drain(Stale(bench.share()), files_max=1, mode=Mode.ENCODE)
    assert standing.delivered_files == 0
    assert len(list(bench.inbox.iterdir())) == FILES


def test_source_that_is_there_and_not_found_when_it_is_opened_is_told_of(
    bench: Bench,
) -> None:
    """It was in no sum, and the run ended with 0."""

    class Lists(WatchedShare):
        def open_source(self, place: Place) -> IO[bytes]:
            if place.name == "file-01":
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(place))
            return bench.share().open_source(place)

    policy = policy_with(attempts=1)
    standing = bench.drain(Lists(bench.share()), policy=policy)
    assert standing.delivered_files == FILES - 1
    assert (standing.set_aside_files, standing.exit_codes) == (1, {Exit.UNFINISHED})
    (reason,) = reasons(bench)
    assert (reason["code"], reason["source"]) == (
        "unreadable",
        ["inbox", "file-01"],
    )


def test_source_that_is_there_and_not_found_by_anybody_stays_with_few_words(
    bench: Bench,
) -> None:
    """A thousand reasons were written and removed."""
    odd = "file-01"

    class Odd(WatchedShare):
        written = 0

        def _require(self, place: Place) -> None:
            if place.root is Root.INBOX and place.name == odd:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(place))

        def open_source(self, place: Place) -> IO[bytes]:
            self._require(place)
            return bench.share().open_source(place)

        def rename_new(self, source: Place, target: Place) -> None:
            self._require(source)
            self._share.rename_new(source, target)

        def write(self, place: Place, data: bytes) -> None:
            self.written += place.path.startswith("quarantine/")
            self._share.write(place, data)

    share = Odd(bench.share())
    standing = bench.drain(share, policy=policy_with(attempts=1))
    assert (standing.set_aside_files, standing.delivered_files) == (1, FILES - 1)
    assert 0 < share.written < 10
    assert (bench.inbox / odd).exists()


def test_source_that_was_gone_when_it_was_opened_and_came_again_did_not_fail(
    bench: Bench,
) -> None:
    share, went = bench.share(), list[str]()

    def handle(lot: Lot) -> tuple[Outcome, ...]:
        if went:
            return do_lot(share, lot)
        went.append(lot.tasks[0].source.name)
        (bench.inbox / went[0]).unlink()
        outcomes = do_lot(share, lot)
        bench.drop(went[0], b"another")
        return outcomes

    standing = bench.drain(
        executor=InlineExecutor(handle), policy=policy_with(attempts=1)
    )
    assert standing.exit_codes == set()
    assert standing.delivered_files == FILES
    bench.check_delivered_once()


def test_source_that_cannot_be_read_ends_a_run_with_the_code_of_the_share(
    bench: Bench,
) -> None:
    class Broken(WatchedShare):
        def open_source(self, place: Place) -> IO[bytes]:
            if place.name == "file-01":
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(place))
            return bench.share().open_source(place)

    standing = bench.drain(Broken(bench.share()), policy=policy_with(attempts=1))
    assert standing.delivered_files == FILES - 1
    assert standing.exit_codes == {Exit.SHARE}
