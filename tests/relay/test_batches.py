"""What is noted of the runs of a batch: added up once, and swept if nobody does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.locks import Register
from nodes_bench import NodeRun, bench_with
from relay_bench import Bench, StopAfter, files_below

from paxect_batch.model.audit import Batch
from paxect_batch.model.places import Place
from paxect_batch.relay import batches
from paxect_batch.relay.state import Owner, intent_folder
from paxect_batch.world.ledger import FileLedger

FILES = {"a.txt": b"alpha", "b.txt": b"beta"}
OWNERS = (Owner("north", "run1"), Owner("south", "run2"), Owner("west", "run3"))


def close(bench: Bench, share: object = None) -> Batch | None:
    share = share or bench.share()
    return batches.close(share, FileLedger(share, "n", "r"), "run1", mixed=False)


def noted(folder: Path, made_by: str = "codec policy") -> Bench:
    bench = bench_with(folder, {})
    for owner in OWNERS:
        batches.note_run(bench.share(), "run1", owner, made_by)
    return bench


@pytest.mark.parametrize("at", range(6))
def test_nodes_that_leave_in_one_instant_add_the_batch_up_once(
    tmp_path: Path, at: int
) -> None:
    """Each finds that it was the last; the one comes as the other is half done."""
    bench = noted(tmp_path)
    late: list[Batch | None] = []

    class Interrupted:
        def __init__(self) -> None:
            self.left = at

        def __getattr__(self, name: str) -> object:
            return getattr(bench.share(), name)

        def remove(self, place: Place) -> bool:
            removed = bench.share().remove(place)
            self._one_more()
            return removed

        def freshen(self, folder: Place) -> None:
            self._one_more()

        def remove_folder(self, folder: Place) -> bool:
            self._one_more()
            return bench.share().remove_folder(folder)

        def _one_more(self) -> None:
            if self.left == 0:
                late.append(close(bench))
            self.left -= 1

    found = close(bench, Interrupted())
    assert found is not None
    assert [part.node for part in found.parts] == ["north", "south", "west"]
    assert late == [None]
    assert list((bench.state / "batches").iterdir()) == []


@pytest.mark.parametrize("made_by", ["codec policy", "codec other", "other policy"])
def test_batch_is_mixed_if_any_two_runs_made_otherwise(
    tmp_path: Path, made_by: str
) -> None:
    """Also if the last of them never met the one that differed."""
    bench = noted(tmp_path)
    first = Owner("n\n1", "run0")
    batches.note_run(bench.share(), "run1", first, made_by)
    found = close(bench)
    assert found is not None
    assert found.mixed == (made_by != "codec policy")
    assert found.parts[0].node == first.node


def test_of_many_runs_of_a_batch_those_that_did_nothing_are_forgotten(
    tmp_path: Path,
) -> None:
    """A `watch` for months, and a `drain` beside it every minute."""
    bench, register = bench_with(tmp_path, {}), Register()
    found: list[int] = []

    def others_come_and_go(number: int, name: str) -> None:
        if found or not files_below(bench.state / "batches"):
            return
        found.append(0)
        for at in range(batches._NOTED_MAX + 6):
            if at == batches._NOTED_MAX + 2:
                bench.drop("late.txt", b"late")
            NodeRun(bench, register, "south")()
        found.append(len(files_below(bench.state / "batches")))

    watches = NodeRun(bench, register, "north", before=others_come_and_go)
    watches()
    assert watches.batch is not None
    assert found == [0, batches._NOTED_MAX + 1]
    assert sum(part.delivered.files for part in watches.batch.parts) == 1


@pytest.mark.parametrize("unfinished", [False, True])
def test_run_with_a_promise_that_is_not_kept_yet_is_not_forgotten(
    tmp_path: Path, unfinished: bool
) -> None:
    bench, share = noted(tmp_path), bench_with(tmp_path, {}).share()
    for number in range(batches._NOTED_MAX):
        batches.note_run(share, "run1", Owner("east", f"run-{number}"), "codec policy")
    if unfinished:
        share.make_folder(intent_folder(OWNERS[0]))
    before = len(files_below(bench.state / "batches"))
    batches.thin_out(share, FileLedger(share, "n", "r"), "run1", OWNERS[0])
    gone = before - len(files_below(bench.state / "batches"))
    assert gone == (not unfinished)


def test_crumb_of_a_listing_is_not_taken_for_a_run(tmp_path: Path) -> None:
    bench = noted(tmp_path)
    (bench.state / "batches/run1/.paxect-0123.tmp").touch()
    found = close(bench)
    assert found is not None
    assert len(found.parts) == 3


def test_batch_of_a_run_that_died_alone_is_swept_when_it_is_old(tmp_path: Path) -> None:
    bench, register = bench_with(tmp_path, FILES), Register()

    def die(number: int, name: str) -> None:
        if name == "open_source":
            dies.die()

    dies = NodeRun(bench, register, "north", before=die)
    dies()
    (paper,) = files_below(bench.state / "batches")
    NodeRun(bench, register, "south")()
    assert paper.exists()  # its maker might have been about to begin
    os.utime(paper, (1, 1))
    NodeRun(bench, register, "south")()
    assert list((bench.state / "batches").iterdir()) == []


def test_batch_with_a_run_that_lives_is_kept_however_old(tmp_path: Path) -> None:
    bench, register = bench_with(tmp_path, FILES), Register()
    found: list[Batch | None] = []

    def others_come_and_go(number: int, name: str) -> None:
        if name == "open_source" and not found:
            for paper in files_below(bench.state / "batches"):
                os.utime(paper, (1, 1))
            other = NodeRun(bench, register, "south")
            other()
            found.append(other.batch)

    watches = NodeRun(bench, register, "north", before=others_come_and_go)
    watches()
    assert found == [None]
    assert watches.batch is not None
    assert [part.node for part in watches.batch.parts] == ["north", "south"]
    bench.check_delivered_once()


def test_batch_that_is_older_than_an_hour_is_added_up_by_its_last_node(
    tmp_path: Path,
) -> None:
    """It swept its own notes as those of a batch that everybody had left."""
    bench = bench_with(tmp_path, {})
    register = Register()

    def act(looks: int) -> None:
        if looks == 30:
            bench.drop("a.txt", b"alpha")
            NodeRun(bench, register, "north")()
        if looks == 60:
            for note in files_below(bench.state / "batches"):
                os.utime(note, (1, 1))

    last = NodeRun(bench, register, "south", watch=True, stop=StopAfter(120, act))
    last()
    assert last.batch is not None
    assert files_below(bench.state / "batches") == []
