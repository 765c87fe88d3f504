"""Many files of every kind arrive, byte for byte, and the figures add up."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from dropped_files import mixed
from relayed_share import LONG, RelayedShare

pytestmark = pytest.mark.slow

MIB = 1 << 20
FILES = 10_000 if LONG else 3_000


def test_drain_of_thousands_of_mixed_files_delivers_each_byte(
    share: RelayedShare,
) -> None:
    dice = random.Random(10_000)
    large = [(1 * MIB, 2 * MIB)] * 6 + [(2 * MIB, 5 * MIB)] * 2
    for name, data in mixed(dice, FILES - len(large), large=large):
        share.drop(name, data)
    run = share.drain()
    assert run.code == 0, run.err
    assert share.arrived() == share.dropped
    assert run.sum_closes
    assert run.audit["seen"]["files"] == run.audit["delivered"]["files"] == FILES
    assert run.audit["bias_flags"] == 0
    assert len(run.lines) == 1
    assert share.crumbs() == []


def test_number_of_workers_changes_neither_digest_nor_records(ground: Path) -> None:
    one = _relayed(ground / "one", "--workers", "1")
    three = _relayed(ground / "three", "--workers", "3")
    assert one == three


def _relayed(folder: Path, *words: str) -> tuple[str, list[tuple]]:
    """Drain some hundred files; return the batch digest and what all records say."""
    share = RelayedShare.lay_out(folder)
    for name, data in mixed(random.Random(3), 600, large=[(MIB, 3 * MIB)] * 2):
        share.drop(name, data)
    run = share.drain(*words)
    assert run.code == 0, run.err
    return run.audit["batch_digest"], sorted(map(_lasting, share.records()))


def _lasting(record: dict) -> tuple:
    """Return what a record says but for times, node and run."""
    del record["at"], record["node"], record["run"]
    # The size stands; time and inode are those of another copy of the file.
    record["identity"] = record["identity"]["size"]
    return tuple(sorted((key, str(value)) for key, value in record.items()))
