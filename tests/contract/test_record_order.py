"""Records of many ledgers, about in the order in which items ended."""

from __future__ import annotations

import errno
from collections.abc import Generator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stages import LocalStage

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.moments import utc
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.ledger_files import ledger_place
from paxect_batch.world.record_order import OPEN_MAX, in_order
from paxect_batch.world.tree_descriptors import DescriptorTree


def record(second: int, run: str) -> Record:
    return Record(
        fate=Fate.DELIVERED,
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, f"{run}/{second}"),
        identity=Identity(1, 2, 3),
        run=run,
        at=utc(1_700_000_000 + second),
    )


class Ledgers:
    """What lies in ledgers, and how many are read at once."""

    def __init__(self, seconds: list[list[int]]) -> None:
        runs = [f"run{number:06}" for number in range(len(seconds))]
        self._records = {
            ledger_place("node", run): [record(second, run) for second in of_run]
            for run, of_run in zip(runs, seconds, strict=True)
        }
        self.places = list(self._records)
        self.open_now = self.open_max = 0

    @property
    def records(self) -> list[Record]:
        return [each for of_run in self._records.values() for each in of_run]

    def read(self, place: Place) -> Generator[Record, None, None]:
        self.open_now += 1
        self.open_max = max(self.open_max, self.open_now)
        try:
            yield from self._records[place]
        finally:
            self.open_now -= 1


seconds_of_runs = st.lists(
    st.lists(st.integers(0, 50), max_size=8).map(sorted), max_size=12
)


@given(seconds_of_runs, st.randoms())
def test_records_of_ledgers_that_overlap_come_once_and_in_the_order_of_time(
    seconds: list[list[int]], random: Random
) -> None:
    ledgers = Ledgers(seconds)
    random.shuffle(ledgers.places)
    given_ = list(in_order(ledgers.places, ledgers.read))
    assert [each.at for each in given_] == sorted(each.at for each in given_)
    assert sorted(map(repr, given_)) == sorted(map(repr, ledgers.records))
    assert ledgers.open_now == 0


def test_no_more_ledgers_than_so_many_are_read_at_once_and_the_order_holds() -> None:
    runs = 3 * OPEN_MAX
    ledgers = Ledgers([[run, run + OPEN_MAX // 2] for run in range(runs)])
    given_ = list(in_order(ledgers.places, ledgers.read))
    assert len(given_) == 2 * runs
    assert [each.at for each in given_] == sorted(each.at for each in given_)
    assert ledgers.open_max <= OPEN_MAX


def test_ledgers_are_closed_by_who_stops_in_the_middle() -> None:
    ledgers = Ledgers([[1, 4], [2, 5], [3, 6]])
    reading = in_order(ledgers.places, ledgers.read)
    next(reading)
    assert ledgers.open_now == 3
    reading.close()
    assert ledgers.open_now == 0


def test_what_was_read_ahead_when_another_ledger_failed_is_news_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that stays would be delivered twice if a record were passed over."""
    stage = LocalStage(tmp_path, DescriptorTree)
    written = {run: FileLedger(stage.share, "node2", run) for run in ("run2", "run3")}
    for run, seconds in (("run2", (1, 3)), ("run3", (2, 4))):
        written[run].append([record(second, run) for second in seconds])
        written[run].close()
    asks = FileLedger(stage.share, "node1", "run1")
    with monkeypatch.context() as patch:
        failing = stage.share.open_source

        def open_source(place: Place) -> object:
            if place == ledger_place("node2", "run3"):
                raise OSError(errno.EIO, "the server is away", str(place))
            return failing(place)

        patch.setattr(stage.share, "open_source", open_source)
        with pytest.raises(OSError, match="the server is away"):
            list(asks.news(()))
    assert [each.at for each in asks.news(())] == [
        utc(1_700_000_000 + second) for second in (1, 2, 3, 4)
    ]
    assert list(asks.news(())) == []
