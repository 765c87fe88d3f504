"""Several nodes on one folder do what one does, whatever becomes of some of them."""

from __future__ import annotations

import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from relayed_share import LONG, RelayedShare, memory_folder, wait_until
from several_nodes import FILES, NODES, Relaying, drop_files, events, shared

pytestmark = pytest.mark.slow

SEEDS = range(10 if LONG else 1)
LOST_PART_MAX = 0.02
MOMENTS = ("claims", "stage", "intents", "ledger")


@pytest.fixture(scope="module")
def digest() -> str:
    """The batch digest that one node alone gives."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        share = shared(Path(folder) / "share")
        drop_files(share)
        run = share.drain()
    assert run.audit["delivered"]["files"] == FILES
    return run.audit["batch_digest"]


@pytest.fixture
def share(ground: Path) -> Iterator[RelayedShare]:
    """A share with files, and no process of it left afterwards."""
    laid_out = shared(ground / "share")
    drop_files(laid_out)
    yield laid_out
    assert laid_out.end_processes() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_nodes_together_deliver_each_file_once_and_give_the_digest_of_one(
    share: RelayedShare, digest: str, seed: int
) -> None:
    relaying = Relaying(share)
    with relaying.consumer:
        outcome = relaying.finish()
    outcome.check(share, digest, gone=())
    assert events(share, "take_over") == []
    audits = [run.audit for run in outcome.runs.values()]
    assert sum(audit["delivered"]["files"] for audit in audits) == FILES
    tried = sum(audit["claims"]["tried"] for audit in audits)
    lost = sum(audit["claims"]["lost"] for audit in audits)
    print(f"seed {seed}: {lost} of {tried} claims lost")
    assert tried >= FILES
    # With few files the first seconds, in which nodes join, count for too much.
    assert not LONG or lost <= tried * LOST_PART_MAX


@pytest.mark.parametrize("seed", SEEDS)
def test_items_of_a_node_that_is_killed_are_delivered_once_by_others(
    share: RelayedShare, digest: str, seed: int
) -> None:
    dice = random.Random(seed)
    victim = dice.choice(NODES)
    relaying = Relaying(share)
    with relaying.consumer:
        process = relaying.until(victim, dice.choice(MOMENTS))
        process.kill()
        outcome = relaying.finish()
    outcome.check(share, digest, gone=[victim])
    assert outcome.runs[victim].code == -signal.SIGKILL
    assert [event["src"] for event in events(share, "take_over")] == [victim]


@pytest.mark.parametrize("seed", SEEDS)
def test_node_that_sleeps_longer_than_its_lease_says_so_and_begins_anew(
    share: RelayedShare, digest: str, seed: int
) -> None:
    dice = random.Random(seed)
    victim = dice.choice(NODES)
    relaying = Relaying(share)
    with relaying.consumer:
        process = relaying.until(victim, dice.choice(MOMENTS))
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: events(share, "take_over"))
        process.send_signal(signal.SIGCONT)
        outcome = relaying.finish()
    outcome.check(share, digest, gone=())
    assert [event["src"] for event in events(share, "take_over")] == [victim]
    assert [event["node"] for event in events(share, "lease_lost")] == [victim]
    assert "begins anew" in outcome.runs[victim].err
