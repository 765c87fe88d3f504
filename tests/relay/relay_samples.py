"""What several modules of tests begin with."""

from __future__ import annotations

from pathlib import Path

from relay_bench import Bench

from paxect_batch.model.nodes import NodeManifest


def bench_of_three(folder: Path) -> Bench:
    """Return one with three files, of which one lies in a folder of others."""
    bench = Bench(folder)
    for name in ("a.txt", "theirs/b.txt", "z.txt"):
        bench.drop(name, name.encode())
    return bench


def bench_of(folder: Path, count: int) -> Bench:
    """Return one with so many small files, `file-00` and on."""
    bench = Bench(folder)
    for number in range(count):
        bench.drop(f"file-{number:02}", b"%d" % number)
    return bench


def manifest_of(node: str) -> NodeManifest:
    """Return what a node says of itself."""
    return NodeManifest(
        datetime_utc="2026-01-01T00:00:00Z",
        node=node,
        platform="linux",
        policy="p",
        inbox="i",
        outbox="o",
        version="1",
    )
