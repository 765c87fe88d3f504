"""Sidecars and papers that a sweep comes upon: whose they are is looked at twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from relay_bench import Bench, Crash, WatchedShare, files_below, policy_with

from paxect_batch.model.items import Direction, Entry, Facts, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Attempts, Failure
from paxect_batch.relay import state
from paxect_batch.relay.recover import Recovery
from paxect_batch.relay.set_aside import set_aside
from paxect_batch.relay.sweep import Sweeper
from paxect_batch.world.ledger import FileLedger

LONG_AGO = (1_000_000_000, 1_000_000_000)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_file_of_an_inbox_that_is_named_like_a_sidecar_is_an_item(bench: Bench) -> None:
    """Its neighbour, that was set aside, was no container on the wire."""
    path = bench.inbox / "a.freq"
    path.write_bytes(b"data")
    (bench.inbox / "a.freq.sha256").write_bytes(b"data")
    os.utime(bench.inbox / "a.freq.sha256", LONG_AGO)
    found = path.stat()
    attempts = Attempts(
        Direction.ENCODE,
        Place(Root.INBOX, "a.freq"),
        Identity(found.st_size, found.st_mtime_ns, found.st_ino),
        (Failure(1.0, "node", "collision", "", 1),),
    )
    assert set_aside(
        bench.share(), attempts, node="node", run="run", stands=lambda: True
    )
    Sweeper(bench.share()).sweep()
    assert [each.name for each in files_below(bench.inbox)] == ["a.freq.sha256"]


def test_paper_of_a_container_that_was_made_anew_meanwhile_is_not_swept(
    bench: Bench,
) -> None:
    bench.drop("a.txt", b"data")
    bench.drain(mode=Mode.ENCODE, policy=policy_with(carry_times=True))
    (paper,) = files_below(bench.state / "meta")
    os.utime(paper, LONG_AGO)
    for path in files_below(bench.wire):
        path.unlink()

    class Meanwhile(WatchedShare):
        is_missed = False

        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            self.is_missed = self.is_missed or place.name == "a.txt.freq"
            return self._share.look(place, closely=closely)  # type: ignore[no-any-return]

        def entries(self, folder: Place) -> Iterator[Entry]:
            if folder.path == "quarantine" and self.is_missed:
                self.is_missed = False
                paper.touch()
            yield from self._share.entries(folder)

    (bench.state / "quarantine").mkdir(exist_ok=True)
    Sweeper(Meanwhile(bench.share())).sweep()
    assert paper.exists()


def test_sidecar_of_what_a_dead_run_withdrew_is_taken_back_by_another(
    bench: Bench,
) -> None:
    """Another node's container of that name came after the sidecar was published."""
    dead: list[Place] = []

    def die(number: int, name: str) -> None:
        if dead:
            raise Crash

    class Dies(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if target.path == "a.txt.freq":
                (bench.wire / "a.txt.freq").write_bytes(b"another node's")
            self._share.rename_new(source, target)
            if target.path.endswith(state.WITHDRAWN_SUFFIX):
                dead.append(target)

    bench.drop("a.txt", b"data")
    share = Dies(bench.share(), before=die)
    with pytest.raises(Crash):
        bench.drain(share, name="south", mode=Mode.ENCODE)
    sidecar = bench.wire / "a.txt.freq.sha256"
    assert sidecar.exists()
    by = state.Owner("north", "own")
    ledger = FileLedger(bench.share(), *by)
    Recovery(bench.share(), ledger, "south", by=by).run(lambda matters: iter(()))  # type: ignore[arg-type, return-value]
    ledger.close()
    assert not sidecar.exists()
    assert (bench.wire / "a.txt.freq").read_bytes() == b"another node's"
    assert (bench.inbox / "a.txt").read_bytes() == b"data"
