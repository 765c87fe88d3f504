"""Two nodes that drain one local share at once deliver each file once."""

from __future__ import annotations

import random

import pytest
from dropped_files import mixed
from relayed_share import LONG, Consumer, RelayedShare, counted, finish

pytestmark = pytest.mark.slow

ROUNDS = 10 if LONG else 1
FILES = 1_000
NODES = ("north", "south")


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_two_nodes_at_once_deliver_each_of_a_thousand_files_once(
    share: RelayedShare, seed: int
) -> None:
    dice = random.Random(seed)
    for name, data in mixed(dice, FILES - 2, large=[(1 << 20, 3 << 20)] * 2):
        share.drop(name, data)
    with Consumer(share, share.folder.parent / "taken") as consumer:
        running = [share.start("--workers", "2", node=node) for node in NODES]
        runs = [finish(process) for process in running]
        last = share.drain(node=NODES[0])
    assert last.code == 0, last.err
    assert last.audit["waiting"]["files"] == 0
    assert counted(consumer.found, share.dropped) == []
    assert share.crumbs() == []
    for run in runs:
        # What the other node had at the end of a run is waiting as this one sees it.
        assert run.code in (0, 1), run.err
        assert run.sum_closes
        assert run.audit["set_aside"]["files"] == 0
    delivered = [run.audit["delivered"]["files"] for run in (*runs, last)]
    assert sum(delivered) == FILES
    print(f"seed {seed}: delivered {delivered}")
