"""What a relay holds in memory depends neither on the size of a file nor on their number."""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dropped_files import content
from relayed_share import LONG, Finished, RelayedShare, finish, memory_folder
from resident import MIB, Resident

pytestmark = pytest.mark.slow

LIMIT_BYTES = 250 * MIB
"""For coordinator and workers together."""
LARGE_BYTES = 6144 * MIB if LONG else 512 * MIB
BLOCK_BYTES = 4 * MIB
COUNTS = (1_000, 100_000) if LONG else (400, 2_400)
GROWTH_BYTES = 24 * MIB
"""What so many times as many files may take more."""


@pytest.fixture
def roomy() -> Iterator[RelayedShare]:
    """A share where files of many GiB have room: on disk, for the long form."""
    folder = None if LONG else memory_folder()
    with tempfile.TemporaryDirectory(prefix="paxect-large-", dir=folder) as name:
        share = RelayedShare.lay_out(Path(name) / "share")
        try:
            yield share
        finally:
            share.end_processes()


def drop_sparse(share: RelayedShare, name: str, size: int) -> None:
    """Drop a file of holes, text and noise in turn."""
    dice = random.Random(size)
    digest = hashlib.sha256()
    part = share.inbox / f"{name}.part"
    with open(part, "wb") as stream:
        for number in range(size // BLOCK_BYTES):
            if number % 3 == 0:
                block = bytes(BLOCK_BYTES)
                stream.seek(BLOCK_BYTES, os.SEEK_CUR)
            else:
                row = b"%d,%d,relayed\n" % (number, dice.randrange(10**9))
                text = (row * (BLOCK_BYTES // len(row) + 1))[:BLOCK_BYTES]
                block = text if number % 3 == 1 else dice.randbytes(BLOCK_BYTES)
                stream.write(block)
            digest.update(block)
        stream.truncate(size)
    part.rename(share.inbox / name)
    share.dropped[name.encode()] = digest.hexdigest()


def measured(share: RelayedShare, *words: str) -> tuple[Finished, Resident]:
    """Drain the share; tell what memory it held meanwhile."""
    process = share.start(*words)
    with Resident(process.pid) as resident:
        run = finish(process)
    return run, resident


def report(text: str) -> None:
    """Say a figure, for whoever looks (`pytest -rP`)."""
    print(text)


@pytest.mark.parametrize("workers", [1, 2] if LONG else [1])
def test_file_of_any_size_is_relayed_in_250_mib_for_the_whole_process_tree(
    roomy: RelayedShare, workers: int
) -> None:
    drop_sparse(roomy, "large", LARGE_BYTES)
    dice = random.Random(1)
    for number in range(300):
        roomy.drop(f"small/{number}", content(dice, dice.randrange(60_000)))
    run, resident = measured(roomy, "--workers", str(workers))
    assert run.code == 0, run.err
    assert roomy.arrived() == roomy.dropped
    assert roomy.crumbs() == []
    report(
        f"{LARGE_BYTES // MIB} MiB by {workers} worker(s): "
        f"{resident.peak_bytes / MIB:.0f} MiB in {resident.samples} samples, "
        f"{run.audit['duration_seconds']:.1f} s"
    )
    assert 0 < resident.peak_bytes < LIMIT_BYTES


def test_inbox_of_many_times_more_files_takes_no_more_memory(
    ground: Path,
) -> None:
    peaks = {}
    for count in COUNTS:
        share = RelayedShare.lay_out(ground / f"share-{count}")
        for number in range(count):
            share.drop(f"{number % 100}/{number}", b"%d\n" % number * (number % 50))
        run, resident = measured(share)
        assert run.code == 0, run.err
        assert run.audit["delivered"]["files"] == count
        assert share.arrived() == share.dropped
        assert share.crumbs() == []
        peaks[count] = resident.peak_bytes
        report(
            f"{count} files: {resident.peak_bytes / MIB:.1f} MiB in "
            f"{resident.samples} samples, {run.audit['duration_seconds']:.1f} s"
        )
    few, many = COUNTS
    assert peaks[many] < peaks[few] + GROWTH_BYTES
