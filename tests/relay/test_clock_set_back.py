"""Files whose times lie ahead of the share's clock settle as others do."""

from __future__ import annotations

import os
from pathlib import Path

from relay_bench import Bench, WatchedShare

from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Policy
from paxect_batch.relay.admit import Done

POLICY = Policy(version="2", settle_seconds=2.0, backoff_seconds=0.0)


def _item(ctime_ns: int | None, size: int = 5) -> Item:
    facts = Facts(Kind.FILE, Identity(size, 1, 2), 0o644, ctime_ns)
    return Item(Direction.ENCODE, Place(Root.INBOX, "a"), facts)


def test_facts_are_remembered_only_when_times_cannot_be_believed() -> None:
    done = Done()
    assert done.unchanged_since(_item(10**9), 5.0) is None
    assert done.unchanged_since(_item(9 * 10**9), 5.0) == 5.0
    assert done.unchanged_since(_item(9 * 10**9), 6.0) == 5.0
    assert done.unchanged_since(_item(None), 6.0) == 6.0
    assert done.unchanged_since(_item(None, size=6), 7.0) == 7.0


def test_drain_after_the_clock_was_set_back_takes_what_settled(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.drop("a", b"data")
    changed = os.stat(bench.inbox / "a").st_ctime

    class SetBack(WatchedShare):
        def now(self) -> float:
            return changed - 1e6 + node._clock.monotonic()

    node = bench.node(SetBack(bench.share()), POLICY)
    standing = node.run()
    bench.ledger.close()
    assert standing.delivered_files == 1
