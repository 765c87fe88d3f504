"""Nodes that die, or are taken for dead, among others that see to what they began."""

from __future__ import annotations

import errno
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from nodes_bench import FEW, MANY, NAMES, NodeRun, Turns, bench_with, sum_closes
from relay_bench import Bench, Crash, SteppedClock, WatchedShare, files_below

from paxect_batch.model.errors import RunOver
from paxect_batch.model.events import Event
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.relay import state
from paxect_batch.relay.commits import Steps
from paxect_batch.relay.matters import Matter
from paxect_batch.relay.record import Recorder
from paxect_batch.relay.recover import Recovery
from paxect_batch.world.ledger import FileLedger


def operations(folder: Path) -> int:
    """Return how many operations a node takes that is alone."""
    run = NodeRun(bench_with(folder, FEW), Register(), "north")
    run()
    return run.share.count


@pytest.mark.slow
def test_node_that_dies_at_any_operation_is_rescued_by_another(tmp_path: Path) -> None:
    for point in range(operations(tmp_path / "count")):
        bench, register = bench_with(tmp_path / str(point), FEW), Register()

        def die(number: int, name: str, at: int = point) -> None:
            if number == at:
                dies.die()  # noqa: B023  used before the loop goes on

        dies = NodeRun(bench, register, "north", before=die)
        dies()
        assert dies.is_dead
        assert bench.whole_somewhere() == set()
        bench.take_all()
        rescuer = NodeRun(bench, register, "south")
        rescuer()
        bench.check_delivered_once()
        assert register.over == []
        assert register.claims == {}
        assert sum_closes(rescuer.standing)
        assert not list(bench.state.glob("intents/north/*"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_nodes_that_die_while_others_work_are_rescued_in_the_same_drain(
    tmp_path: Path, seed: int
) -> None:
    """Two of three die, the second maybe while it rescues the first."""
    bench, register, turns = bench_with(tmp_path, MANY), Register(), Turns(seed)
    dice = random.Random(seed)
    deaths = {"north": dice.randrange(400), "west": dice.randrange(400)}
    runs: dict[str, NodeRun] = {}

    def go_on_as(name: str) -> None:
        def go_on(number: int, operation: str) -> None:
            bench.take_all()
            turns.step()
            if deaths.get(name) == number:
                runs[name].die()

        runs[name] = NodeRun(bench, register, name, before=go_on, wait=True)

    for name in NAMES:
        go_on_as(name)
    turns.run(list(runs.values()))
    last = NodeRun(bench, register, "last")
    last()
    bench.check_delivered_once()
    assert register.over == []
    assert register.claims == {}


@pytest.mark.slow
def test_rescuer_that_dies_at_any_operation_is_rescued_too(tmp_path: Path) -> None:
    first = 3 * operations(tmp_path / "count") // 5
    point, rescuer_died = 0, True
    while rescuer_died:
        bench, register = bench_with(tmp_path / str(point), FEW), Register()
        runs: list[NodeRun] = []
        for at in (first, point):

            def die(number: int, name: str, at: int = at) -> None:
                if number == at:
                    runs[-1].die()  # noqa: B023  used before the loop goes on

            runs.append(NodeRun(bench, register, NAMES[len(runs)], before=die))
            runs[-1]()
            assert bench.whole_somewhere() == set()
            bench.take_all()
        rescuer_died = runs[-1].is_dead
        last = NodeRun(bench, register, "west")
        last()
        bench.check_delivered_once()
        assert register.over == []
        assert register.claims == {}
        point += 3
    assert point > 60


@pytest.mark.slow
def test_node_taken_for_dead_at_any_operation_begins_no_step_that_counts(
    tmp_path: Path,
) -> None:
    """What it was in the middle of it may end; after that it finds its lease lost."""
    stopped = 0
    for point in range(operations(tmp_path / "count")):
        bench, register = bench_with(tmp_path / str(point), FEW), Register()

        def lose(number: int, name: str, at: int = point) -> None:
            if number == at:
                loses.lose()  # noqa: B023  used before the loop goes on

        loses = NodeRun(bench, register, "north", before=lose)
        try:
            loses()
        except RunOver as error:
            assert "begins anew" in error.message  # noqa: PT017
            assert bench.events.named(Event.LEASE_LOST)
            stopped += 1
        assert loses.moves_when_lost is not None
        late = loses.moves[loses.moves_when_lost :]
        assert len(set(late)) <= 1
        assert len(late) <= len(FEW)
        assert bench.whole_somewhere() == set()
        bench.take_all()
        NodeRun(bench, register, "south")()
        bench.check_delivered_once()
        assert register.claims == {}
    assert stopped > 40


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_node_taken_for_dead_begins_anew_beside_its_rescuer(
    tmp_path: Path, seed: int
) -> None:
    bench, register, turns = bench_with(tmp_path, MANY), Register(), Turns(seed)
    point = random.Random(seed).randrange(20, 300)
    lives: list[NodeRun] = []

    def go_on(number: int, name: str) -> None:
        bench.take_all()
        turns.step()

    def lose(number: int, name: str) -> None:
        go_on(number, name)
        if number == point:
            lives[0].lose()

    lives.append(NodeRun(bench, register, "north", before=lose))

    def live_twice() -> None:
        try:
            lives[0]()
        except RunOver:
            lives.append(
                NodeRun(
                    bench,
                    register,
                    "north",
                    before=go_on,
                    locks=lives[0].locks,
                    account=lives[0].node.account,
                )
            )
            lives[1]()

    other = NodeRun(bench, register, "south", before=go_on)
    turns.run([live_twice, other])
    NodeRun(bench, register, "west")()
    bench.check_delivered_once()
    assert register.over == []
    assert register.claims == {}


def test_rescue_that_cannot_be_finished_yet_is_told_once(tmp_path: Path) -> None:
    """As while a file server keeps a name in the dead run's folder."""
    bench, register = bench_with(tmp_path, FEW), Register()

    def die(number: int, name: str) -> None:
        if name == "open_source":
            dies.die()

    dies = NodeRun(bench, register, "north", before=die)
    dies()
    (folder,) = (bench.state / "intents/north").iterdir()
    kept = folder / "kept"
    kept.mkdir()
    looks: Counter[str] = Counter()

    class Slow(SteppedClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            looks["slept"] += 1
            if looks["slept"] == 20:
                kept.rmdir()

    rescuer = NodeRun(bench, register, "south", wait=True, clock=Slow())
    rescuer()
    assert looks["slept"] >= 20
    assert len(bench.events.named(Event.TAKE_OVER)) == 1
    bench.check_delivered_once()
    assert FakeLocks(register).over() == []


def test_what_a_run_staged_goes_once_it_is_durable_that_it_promised_nothing(
    tmp_path: Path,
) -> None:
    """Who took its folder for intents away may have died before that was durable."""
    bench = Bench(tmp_path)
    staged = bench.state / "stage/south/run/0/key-0.part"
    for folder in (staged.parent, bench.state / "intents/south"):
        folder.mkdir(parents=True)
    staged.write_bytes(b"staged")
    steps: list[tuple[str, str]] = []

    class Noted(WatchedShare):
        def sync_folder(self, folder: Place) -> None:
            steps.append(("sync", str(folder)))

        def remove(self, place: Place) -> bool:
            steps.append(("remove", str(place)))
            return bool(self._share.remove(place))

    share = Noted(bench.share())
    ledger = FileLedger(share, "north", "own")  # type: ignore[arg-type]
    by = state.Owner("north", "own")
    recovery = Recovery(share, ledger, "south", by=by, only="run")  # type: ignore[arg-type]
    recovery.run(lambda matters: iter(()))  # type: ignore[arg-type, return-value]
    removed = ("remove", ".paxect/stage/south/run/0/key-0.part")
    assert steps.index(("sync", ".paxect/intents/south")) < steps.index(removed)
    assert recovery.is_closed


def test_rescuer_that_fails_after_it_recorded_records_it_no_second_time(
    tmp_path: Path,
) -> None:
    bench = bench_with(tmp_path, {"a.txt": b"data"})

    def die(number: int, name: str) -> None:
        if (bench.wire / "a.txt.freq").exists():
            raise Crash

    class Fails(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if source.root is Root.INBOX:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._share.rename_new(source, target)

    with pytest.raises(Crash):
        bench.drain(WatchedShare(bench.share(), before=die), name="south")
    by = state.Owner("north", "own")
    ledger = FileLedger(bench.share(), *by)
    recorder = Recorder(node=by.node, run=by.run, codec="")

    def record(matters: list[Matter]) -> Steps[None]:
        at = "2026-01-01T00:00:00Z"
        found = [
            recorder.delivered(each.pledge, adopted=False, at=at) for each in matters
        ]
        yield lambda: ledger.append(found)

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        Recovery(Fails(bench.share()), ledger, "south", by=by).run(record)
    Recovery(bench.share(), ledger, "south", by=by).run(record)
    assert len(list(ledger.since(*by, 0))) == 1
    ledger.close()
    assert files_below(bench.inbox) == []


def test_rescuer_makes_it_durable_that_sources_are_gone_before_it_forgets_them(
    tmp_path: Path,
) -> None:
    """Who took them away died before that was; back, they would be delivered again."""
    bench = bench_with(tmp_path, {"sub/a.txt": b"data"})

    class Dies(WatchedShare):
        def remove(self, place: Place) -> bool:
            if place.path.startswith("intents/"):
                raise Crash
            return bool(self._share.remove(place))

    class Noted(WatchedShare):
        def sync_folder(self, folder: Place) -> None:
            steps.append(f"sync {folder}")
            self._share.sync_folder(folder)

        def remove(self, place: Place) -> bool:
            steps.append(f"remove {place.folder.folder}")
            return bool(self._share.remove(place))

    steps: list[str] = []
    with pytest.raises(Crash):
        bench.drain(Dies(bench.share()), name="south")
    assert files_below(bench.inbox) == []
    by = state.Owner("north", "own")
    ledger = FileLedger(bench.share(), *by)
    share = Noted(bench.share())
    Recovery(share, ledger, "south", by=by).run(lambda matters: iter(()))  # type: ignore[arg-type, return-value]
    ledger.close()
    assert steps.index("sync inbox/sub") < steps.index("remove .paxect/intents/south")


def test_rescuer_makes_durable_what_it_settles_by(tmp_path: Path) -> None:
    """Who promised and recorded it died, maybe before either was durable."""
    bench = bench_with(tmp_path, {"sub/a.txt": b"data"})

    class Dies(WatchedShare):
        def remove(self, place: Place) -> bool:
            if place.path.startswith("intents/"):
                raise Crash
            return bool(self._share.remove(place))

    steps: list[str] = []

    class Noted(WatchedShare):
        def sync_folder(self, folder: Place) -> None:
            steps.append(f"sync {folder}")
            self._share.sync_folder(folder)

        def remove(self, place: Place) -> bool:
            steps.append(f"remove {place.folder.folder}")
            return bool(self._share.remove(place))

    with pytest.raises(Crash):
        bench.drain(Dies(bench.share()), name="south", mode=Mode.ENCODE)
    by = state.Owner("north", "own")
    share = Noted(bench.share())
    ledger = FileLedger(share, *by)  # type: ignore[arg-type]
    Recovery(share, ledger, "south", by=by).run(lambda matters: iter(()))  # type: ignore[arg-type, return-value]
    (record,) = ledger.since(*by, 0)
    ledger.close()
    assert record.source == Place(Root.INBOX, "sub/a.txt")
    forgotten = steps.index("remove .paxect/intents/south")
    assert steps.index("sync .paxect/intents/south/run1") < forgotten


@pytest.mark.parametrize("is_its_own", [True, False])
def test_sidecar_that_is_there_without_its_container_goes_only_if_it_was_of_that(
    tmp_path: Path, is_its_own: bool
) -> None:
    """It came back after a power cut; or the next container is about to come."""
    bench = bench_with(tmp_path, {"a.txt": b"data"})
    bench.drain(mode=Mode.ENCODE)
    sidecar = bench.wire / "a.txt.freq.sha256"
    text = sidecar.read_text() if is_its_own else f"{'0' * 64}  a.txt.freq\n"

    class Dies(WatchedShare):
        def remove(self, place: Place) -> bool:
            if place.path.startswith("intents/"):
                raise Crash
            return bool(self._share.remove(place))

    with pytest.raises(Crash):
        bench.drain(Dies(bench.share()), name="south", mode=Mode.DECODE)
    assert files_below(bench.wire) == []
    sidecar.write_text(text)
    by = state.Owner("north", "own")
    ledger = FileLedger(bench.share(), *by)
    Recovery(bench.share(), ledger, "south", by=by).run(lambda matters: iter(()))  # type: ignore[arg-type, return-value]
    ledger.close()
    assert sidecar.exists() is not is_its_own
