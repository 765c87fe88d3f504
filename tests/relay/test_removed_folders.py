"""Empty folders may be taken away beside a node at work, at any time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from relay_bench import Bench, WatchedShare, policy_with

from paxect_batch.model.policy import OnDone

NAMES = ("a/one.txt", "a/b/two.txt")


def a_bench(folder: Path) -> Bench:
    folder.mkdir()
    bench = Bench(folder)
    for name in NAMES:
        bench.drop(name, name.encode())
    return bench


def remove_empty_folders(bench: Bench) -> int:
    removed = 0
    for root in (bench.inbox, bench.wire, bench.outbox):
        for path, _, _ in os.walk(root, topdown=False):
            if Path(path) != root and not os.listdir(path):
                os.rmdir(path)
                removed += 1
    return removed


@pytest.mark.parametrize("on_done", [OnDone.DELETE, OnDone.ARCHIVE])
def test_empty_folders_that_go_at_any_step_of_a_run_cost_nothing(
    tmp_path: Path, on_done: OnDone
) -> None:
    policy = policy_with(on_done=on_done)
    plain = a_bench(tmp_path / "plain")
    counted = WatchedShare(plain.share())
    plain.drain(counted, policy=policy)
    removed = 0
    for step in range(counted.count):
        bench = a_bench(tmp_path / str(step))

        def remove(
            number: int, name: str, bench: Bench = bench, at: int = step
        ) -> None:
            nonlocal removed
            if number == at:
                removed += remove_empty_folders(bench)

        bench.drain(WatchedShare(bench.share(), before=remove), policy=policy)
        bench.take_all()
        assert sorted(bench.taken) == sorted((name, name.encode()) for name in NAMES)
    assert removed > counted.count
