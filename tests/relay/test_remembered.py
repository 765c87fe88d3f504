"""What a run remembers does not grow with the number of files that it delivered."""

from __future__ import annotations

from pathlib import Path

from relay_samples import bench_of


def test_run_remembers_nothing_of_what_it_delivered_and_took_away(
    tmp_path: Path,
) -> None:
    bench = bench_of(tmp_path, 9)
    node = bench.node()
    assert node.run().delivered_files == 9
    bench.ledger.close()
    assert node._committer.recorded == set()
    assert node._done._known == set()
