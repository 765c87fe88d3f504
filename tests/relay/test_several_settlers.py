"""Runs that settle one intent at once, or wake late, on a real folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from relay_bench import Bench, Crash, WatchedShare, files_below

from paxect_batch.model.errors import RunOver, ShareError
from paxect_batch.model.items import Direction, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnCollision, OnDone, Policy
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Attempts, Failure, Meta
from paxect_batch.relay.state import Owner, intent_folder, intents_of
from paxect_batch.report.digest import BatchDigest

FAST = Policy(version="2", settle_seconds=0.0, backoff_seconds=0.0)
FILES = {"a.txt": b"alpha" * 100, "sub/b.bin": bytes(range(256)) * 9}


def _bench(folder: Path, files: dict[str, bytes] = FILES) -> Bench:
    folder.mkdir(exist_ok=True)
    bench = Bench(folder)
    for name, data in files.items():
        bench.drop(name, data)
    return bench


def _records(bench: Bench) -> list[Record]:
    return [
        msgspec.json.decode(line, type=Record)
        for path in files_below(bench.state / "ledger")
        for line in path.read_bytes().splitlines()
    ]


def _asleep_at(bench: Bench, point: int, wakes: object) -> WatchedShare:
    """A share on which another run goes on before the operation of that number."""
    slept = []

    def sleep(number: int, name: str) -> None:
        if number == point and not slept:
            slept.append(name)
            wakes()  # type: ignore[operator]

    return WatchedShare(bench.share(), before=sleep)


@pytest.mark.slow
@pytest.mark.parametrize("eager", [False, True], ids=["no consumer", "eager consumer"])
def test_run_that_sleeps_at_any_operation_while_another_rescues_it(
    tmp_path: Path, eager: bool
) -> None:
    """The rescuer takes the sleeper for dead, in its name; the sleeper goes on."""
    counter = WatchedShare(_bench(tmp_path / "count").share())
    Bench(tmp_path / "count").drain(counter)
    for point in range(counter.count):
        bench = _bench(tmp_path / str(point))

        def rescue(bench: Bench = bench) -> None:
            bench.drain()
            if eager:
                bench.take_all()

        with contextlib.suppress(ShareError, RunOver):
            bench.drain(_asleep_at(bench, point, rescue))
        assert bench.whole_somewhere() == set()
        bench.take_all()
        bench.drain()
        bench.check_delivered_once()


@pytest.mark.slow
def test_two_that_settle_what_a_dead_run_left_deliver_once(tmp_path: Path) -> None:
    """One sleeps at each operation of its recovery while the other does it all."""
    total = WatchedShare(_bench(tmp_path / "count").share())
    Bench(tmp_path / "count").drain(total)
    for dies in range(total.count // 3, total.count, 11):
        # Each begins elsewhere, so that together they sleep everywhere.
        point, slept = dies % 7, True
        while slept:
            bench = _bench(tmp_path / f"{dies}-{point}")

            def die(number: int, name: str, at: int = dies) -> None:
                if number >= at:
                    raise Crash(name)

            with pytest.raises(Crash):
                bench.drain(WatchedShare(bench.share(), before=die))
            bench.take_all()
            woken: list[bool] = []

            def rescue(bench: Bench = bench, woken: list[bool] = woken) -> None:
                woken.append(True)
                bench.drain()
                bench.take_all()

            with contextlib.suppress(ShareError, RunOver):
                bench.drain(_asleep_at(bench, point, rescue))
            slept = bool(woken)
            assert bench.whole_somewhere() == set()
            bench.take_all()
            bench.drain()
            bench.check_delivered_once()
            point += 7


def test_run_that_was_swept_before_it_promised_is_told_so(tmp_path: Path) -> None:
    bench = _bench(tmp_path)
    rescued = []

    def rescue(number: int, name: str) -> None:
        if name == "rename_new" and not rescued:
            rescued.append(name)
            bench.drain()

    with pytest.raises(RunOver, match="items are as they were"):
        bench.drain(WatchedShare(bench.share(), before=rescue))
    bench.drain()
    bench.check_delivered_once()


def test_outbox_that_is_not_mounted_is_not_taken_for_published(tmp_path: Path) -> None:
    class Apart(WatchedShare):
        def together(self, one: Root, other: Root) -> bool:
            return Root.OUTBOX not in {one, other} or one is other

    bench = _bench(tmp_path)
    bench.drain(mode=Mode.ENCODE)

    def die_when_promised(number: int, name: str) -> None:
        if list(intents_of(bench.share(), "node")):
            raise Crash(name)

    with pytest.raises(Crash):
        bench.drain(Apart(bench.share(), after=die_when_promised), mode=Mode.DECODE)
    bench.outbox.rename(tmp_path / "unmounted")
    bench.outbox.mkdir()
    with pytest.raises(ShareError, match="mount what belongs on the outbox"):
        bench.drain(Apart(bench.share()))
    assert len([p for p in files_below(bench.wire) if p.suffix == ".freq"]) == 2
    shutil.rmtree(bench.outbox)
    (tmp_path / "unmounted").rename(bench.outbox)
    bench.drain(Apart(bench.share()))
    shutil.rmtree(bench.outbox / ".paxect")
    bench.check_delivered_once()


def test_item_that_was_given_up_is_never_taken_for_delivered(tmp_path: Path) -> None:
    """A power cut may bring back the intent of an item that collided since."""
    policy = msgspec.structs.replace(
        FAST, quarantine=False, on_collision=OnCollision.QUARANTINE
    )
    bench = _bench(tmp_path, {"a.txt": b"mine"})
    (bench.wire / "a.txt.freq").write_bytes(b"theirs")
    kept: dict[str, bytes] = {}

    def keep(number: int, name: str) -> None:
        for path in files_below(bench.state / "intents"):
            if path.suffix == ".json":
                kept[str(path)] = path.read_bytes()

    bench.drain(
        WatchedShare(bench.share(), after=keep), policy=policy, mode=Mode.ENCODE
    )
    assert [record.fate for record in _records(bench)] == [Fate.SET_ASIDE]
    assert kept
    for path, data in kept.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
        stage = msgspec.json.decode(data.splitlines()[0])["pledges"][0]["stage"][1]
        withdrawn = bench.state / f"{stage}.withdrawn"
        withdrawn.parent.mkdir(parents=True)
        withdrawn.write_bytes(b"")
    bench.drain(policy=policy, mode=Mode.ENCODE)
    assert (bench.inbox / "a.txt").read_bytes() == b"mine"


def test_records_of_two_settlers_count_once_in_the_digest(tmp_path: Path) -> None:
    bench = _bench(tmp_path, {"a.txt": b"data"})
    node = bench.node()
    node.run()
    bench.ledger.close()
    twice = BatchDigest()
    for record in _records(bench):
        twice.add(record)
        twice.add(msgspec.structs.replace(record, node="other", run="r9", at="later"))
    assert twice.hexdigest() == node.digest


@pytest.mark.parametrize("on_done", [OnDone.DELETE, OnDone.ARCHIVE])
@pytest.mark.parametrize("replaced", [False, True])
def test_what_a_dead_run_moved_aside_goes_or_comes_back(
    tmp_path: Path, on_done: OnDone, replaced: bool
) -> None:
    """Between the look and the rename a producer may lay a new file there."""
    policy = msgspec.structs.replace(FAST, on_done=on_done)
    bench = _bench(tmp_path, {"sub/a.txt": b"old"})
    moves = []

    def before(number: int, name: str) -> None:
        retiring = _records(bench) and (bench.inbox / "sub/a.txt").exists()
        if name == "rename_new" and retiring and replaced and not moves:
            (bench.inbox / "sub/a.txt").unlink()
            bench.drop("sub/a.txt", b"new one")

    def after(number: int, name: str) -> None:
        if any("retired-" in path.name for path in files_below(bench.state / "stage")):
            moves.append(name)
            raise Crash(name)

    with pytest.raises(Crash):
        bench.drain(
            WatchedShare(bench.share(), before=before, after=after), policy=policy
        )
    shutil.rmtree(bench.inbox / "sub")
    # Before what is new meets what is old under the same names.
    bench.drain(policy=policy, mode=Mode.DECODE)
    bench.take_all()
    bench.drain(policy=policy)
    bench.take_all()
    expected = {b"old", b"new one"} if replaced else {b"old"}
    assert {data for _, data in bench.taken} == expected
    assert files_below(bench.state / "stage") == []
    archived = [p.read_bytes() for p in files_below(bench.state / "archive/inbox")]
    # What the producer replaced is gone by its hand.
    left = [b"new one"] if replaced else [b"old"]
    assert archived == (left if on_done is OnDone.ARCHIVE else [])


def test_run_that_ended_leaves_no_folder_for_intents(tmp_path: Path) -> None:
    bench = _bench(tmp_path)
    bench.drain()
    folder = intent_folder(Owner("node", "run1"))
    assert not (bench.state / folder.path).exists()
    assert list((bench.state / "stage/node").iterdir()) == []


def test_papers_and_momentary_files_that_nobody_needs_are_swept(tmp_path: Path) -> None:
    bench = _bench(tmp_path)
    meta, attempts = bench.state / "meta", bench.state / "attempts"
    meta.mkdir()
    attempts.mkdir()
    gone, there = Place(Root.WIRE, "gone.freq"), Place(Root.WIRE, "there.bin")
    (bench.wire / "there.bin").write_bytes(b"")
    for name, place in (("gone", gone), ("there", there), ("new", gone), ("old", None)):
        paper = Meta("00", container=place)
        (meta / f"{name}.json").write_bytes(msgspec.json.encode(paper))
    failure = Failure(0.0, "node", "x", "", 1)
    tried = Attempts(Direction.ENCODE, gone, Identity(1, 2, 3), (failure,))
    (attempts / "gone.json").write_bytes(msgspec.json.encode(tried))
    kept = msgspec.structs.replace(tried, source=there)
    (attempts / "there.json").write_bytes(msgspec.json.encode(kept))
    crumbs = [
        folder / f".paxect-{age}.tmp"
        for folder in (bench.state, meta, bench.inbox, bench.wire / "sub")
        for age in ("old", "new")
    ]
    for crumb in crumbs:
        crumb.parent.mkdir(exist_ok=True)
        crumb.write_bytes(b"")
    for path in [*meta.iterdir(), *crumbs]:
        if not path.stem.endswith("new"):
            os.utime(path, (1, 1))
    bench.drain()
    assert [path.name for path in files_below(meta)] == [
        ".paxect-new.tmp",
        "new.json",
        "old.json",
        "there.json",
    ]
    assert [path.name for path in files_below(attempts)] == ["there.json"]
    assert {path for path in crumbs if path.exists()} == {
        path for path in crumbs if path.name == ".paxect-new.tmp"
    }
