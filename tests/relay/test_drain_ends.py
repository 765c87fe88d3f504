"""A drain ends, and rests between its looks, whatever keeps an item waiting."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest
from relay_bench import Bench, SteppedClock, StopAfter, WatchedShare, policy_with

from paxect_batch.model.places import Place, Root

LOOKS = 5000


class Folding(WatchedShare):
    """Names that differ in case only are one name where they are to arrive."""

    def folds_names(self, root: Root) -> bool:
        return True


class Growing(WatchedShare):
    """A file gets longer each time that it is opened to be read."""

    inbox: Path

    def open_source(self, place: Place) -> IO[bytes]:
        with (self.inbox / "log").open("ab") as log:
            log.write(b"more")
        stream: IO[bytes] = self._share.open_source(place)
        return stream


@pytest.mark.parametrize("settle_seconds", [1.0, 0.001, 0.0])
def test_drain_ends_though_a_name_waits_for_its_twin(
    tmp_path: Path, settle_seconds: float
) -> None:
    bench = Bench(tmp_path)
    for name in ("A.txt", "A.txt.ready", "a.txt"):
        bench.drop(name, name.encode())
    clock = SteppedClock()
    policy = policy_with(ready_marker=".ready", settle_seconds=settle_seconds)
    standing = bench.drain(
        Folding(bench.share()), policy=policy, clock=clock, stop=StopAfter(LOOKS)
    )
    assert standing.stopped == ""
    assert clock.seconds > 0


@pytest.mark.parametrize("settle_seconds", [1.0, 0.001, 0.0])
def test_drain_ends_though_a_file_changes_whenever_it_is_read(
    tmp_path: Path, settle_seconds: float
) -> None:
    bench = Bench(tmp_path)
    bench.drop("log", b"begun")
    share = Growing(bench.share())
    share.inbox = bench.inbox
    clock = SteppedClock()
    standing = bench.drain(
        share,
        policy=policy_with(settle_seconds=settle_seconds),
        clock=clock,
        stop=StopAfter(LOOKS),
    )
    assert standing.stopped == ""
    assert clock.seconds > 0
