"""A rescuer whose listings stay old until it changes a folder itself."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.locks import Register
from nodes_bench import NodeRun, bench_with
from relay_bench import Bench, Crash, WatchedShare, files_below, policy_with

from paxect_batch.model.errors import ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Entry, Identity, Item
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.relay.leavings import LeftBehind
from paxect_batch.world.ledger import FileLedger

FILES = {"a.txt": b"alpha" * 100, "sub/b.bin": bytes(range(256)) * 9}
MOMENTS = ("create", "rename_new", "remove")
"""While it stages, promises or publishes, and gives back."""

RECORD = Record(
    fate=Fate.DELIVERED,
    direction=Direction.ENCODE,
    source=Place(Root.INBOX, "a.txt"),
    identity=Identity(1, 2, 3),
)


class OldListings:
    """A share as a client sees it that lists a folder once, and then when it changed."""

    lists_late = True

    def __init__(self, share: object) -> None:
        self._share = share
        self._listed: dict[Place, list[Entry]] = {}

    def __getattr__(self, name: str) -> object:
        method = getattr(self._share, name)

        def call(*args: object, **named: object) -> object:
            for place in args:
                if isinstance(place, Place):
                    self._listed.pop(place if name == "freshen" else place.folder, None)
            return method(*args, **named)

        changes = name in ("freshen", "create", "write", "rename_new", "make_folder")
        return call if changes or name.startswith("remove") else method

    def entries(self, folder: Place) -> Iterator[Entry]:
        if folder not in self._listed:
            self._listed[folder] = list(self._share.entries(folder))  # type: ignore[attr-defined]
        yield from self._listed[folder]


def folders_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_dir()]


def run_that_dies(bench: Bench, register: Register, moment: str) -> NodeRun:
    """Return a run that dies at the fifth operation of that kind."""
    left = [5]

    def die(number: int, name: str) -> None:
        left[0] -= name == moment
        if left[0] == 0:
            dies.die()

    dies = NodeRun(bench, register, "north", before=die)
    return dies


@pytest.mark.parametrize("moment", MOMENTS)
def test_rescuer_with_old_listings_leaves_nothing_of_a_dead_run(
    tmp_path: Path, moment: str
) -> None:
    bench, register = bench_with(tmp_path, FILES), Register()
    NodeRun(bench, register, "north")()
    died: list[NodeRun] = []

    def others_come_and_die(number: int, name: str) -> None:
        # Once it has swept, and before it claims.
        if not died and any(bench.state.glob("intents/south/*")):
            died.append(run_that_dies(bench, register, moment))
            died[0]()

    for name, data in FILES.items():
        bench.drop(f"more/{name}", data)
    rescuer = NodeRun(bench, register, "south", before=others_come_and_die)
    share = rescuer.share._share._share
    rescuer.share._share._share = OldListings(share)
    rescuer()
    assert died[0].is_dead
    bench.check_delivered_once()
    assert folders_below(bench.state / "stage/north") == []
    assert folders_below(bench.state / "intents/north") == []
    assert files_below(bench.state / "batches") == []


class Contradicting:
    """A share that finds what is staged, and finds it not when it is to be renamed."""

    def __init__(self, share: object, root: Root) -> None:
        self._share = share
        self._root = root
        self._left = 1000

    def __getattr__(self, name: str) -> object:
        return getattr(self._share, name)

    def rename_new(self, source: Place, target: Place) -> None:
        if target.root is self._root:
            self._left -= 1
            assert self._left > 0, "it never stops"
            raise FileNotFoundError
        self._share.rename_new(source, target)  # type: ignore[attr-defined]


@pytest.mark.parametrize("root", [Root.WIRE, Root.OUTBOX])
def test_staged_file_that_is_there_and_not_to_be_renamed_ends_the_run(
    tmp_path: Path, root: Root
) -> None:
    """As with a handle that stays stale; it was tried without a pause, for ever."""
    bench = bench_with(tmp_path, FILES)
    with pytest.raises(ShareError, match="items are as they were"):
        bench.drain(Contradicting(bench.share(), root))
    assert bench.whole_somewhere() == set()
    bench.drain()
    bench.check_delivered_once()


class Denying:
    """A share that says of intents that they are gone, instead of removing them."""

    def __init__(self, share: object) -> None:
        self._share = share

    def __getattr__(self, name: str) -> object:
        return getattr(self._share, name)

    def remove(self, place: Place) -> bool:
        if place.path.startswith("intents/") and place.name.endswith(".json"):
            return False
        return self._share.remove(place)  # type: ignore[attr-defined, no-any-return]


def test_intent_that_was_said_to_be_gone_is_the_next_ones(tmp_path: Path) -> None:
    """Without the stage folder nobody could tell what became of what it promises."""
    bench = bench_with(tmp_path, FILES)
    left = [3]

    def die(number: int, name: str) -> None:
        left[0] -= name == "rename_new"
        if left[0] == 0:
            raise Crash

    with pytest.raises(Crash):
        bench.drain(WatchedShare(bench.share(), before=die))
    bench.drain(Denying(bench.share()))
    bench.drain()
    bench.check_delivered_once()


def test_news_of_ledgers_are_those_of_runs_that_began_this_moment(
    tmp_path: Path,
) -> None:
    """Who claims what stays must know who delivered it, or it arrives twice."""
    share = Bench(tmp_path).share()
    asks = FileLedger(OldListings(share), "north", "run1")  # type: ignore[arg-type]
    for number, node in enumerate(("south", "south", "west")):
        assert list(asks.news(())) == []
        other = FileLedger(share, node, f"run-{number}")
        other.append([RECORD])
        other.close()
        assert list(asks.news(())) == [RECORD]


def test_what_another_left_behind_meanwhile_is_known(tmp_path: Path) -> None:
    """Who claims it next would send it again."""
    source = Place(Root.INBOX, "a.txt")

    class Denying(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if source.root is Root.INBOX:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            self._share.rename_new(source, target)

    bench = bench_with(tmp_path, {"a.txt": b"data"})
    (bench.state / "left").mkdir()
    left_behind = LeftBehind(OldListings(bench.share()))  # type: ignore[arg-type]
    left_behind.learn()
    bench.drain(Denying(bench.share()))
    facts = bench.share().look(source)
    assert facts is not None
    left_behind.learn()
    assert left_behind.has(Item(Direction.ENCODE, source, facts))


def test_what_another_failed_with_meanwhile_is_known_with_its_claim(
    tmp_path: Path,
) -> None:
    policy = policy_with(attempts=9, backoff_seconds=1000.0)
    for point in range(1000):
        bench, register = bench_with(tmp_path / str(point), {}), Register()
        (bench.wire / "bad.freq").write_bytes(b"no container")
        (bench.state / "attempts").mkdir()

        def fail_first(number: int, name: str, at: int = point) -> None:
            if number == at:
                NodeRun(bench, register, "south", policy=policy)()  # noqa: B023

        north = NodeRun(bench, register, "north", before=fail_first, policy=policy)
        north.share._share._share = OldListings(north.share._share._share)
        north()
        assert len(bench.events.named(Event.DECODE_ERROR)) == 1
        if north.share.count <= point:
            break
    assert point > 20
