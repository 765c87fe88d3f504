"""Two probes on one share: how they meet, what they try in step, how they part."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fakes.clock import FakeClock
from stages import refusing

from paxect_batch.model.fitness import Peer, Trial
from paxect_batch.model.places import Place
from paxect_batch.world import probes_between
from paxect_batch.world.clock import RealClock
from paxect_batch.world.probes_between import try_between
from paxect_batch.world.probes_ground import Ground
from paxect_batch.world.probes_peer import (
    PEER_SUFFIX,
    Heard,
    Hello,
    Line,
    PeerLost,
    Talk,
    _choose,
    this_machine,
)
from paxect_batch.world.share import LocalShare

MEET_SECONDS = 60.0
"""More than any machine needs; nothing waits for it when all goes well."""

Side = Callable[[Ground, Talk], object]


def together(share: Path, *sides: Side, machines: tuple[str, ...] = ()) -> list[object]:
    """Run a side in a thread for each, and return what they came to."""
    found: list[object] = [None] * len(sides)

    def run(number: int, side: Side) -> None:
        with Ground(str(share), RealClock()) as ground:
            machine = machines[number] if machines else f"machine{number}"
            talk = Talk(ground, host=f"host{number}", machine=machine)
            assert talk.meet(MEET_SECONDS)
            try:
                found[number] = side(ground, talk)
            except PeerLost:
                found[number] = PeerLost

    threads = [
        threading.Thread(target=run, args=(number, side))
        for number, side in enumerate(sides)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(share) == []
    return found


def try_all(ground: Ground, talk: Talk) -> Peer:
    return try_between(ground, talk, watch=1.0)


@pytest.mark.slow
def test_two_on_a_local_folder_find_that_all_holds(tmp_path: Path) -> None:
    for number, peer in enumerate(together(tmp_path, try_all, try_all)):
        assert isinstance(peer, Peer)
        assert peer.host == f"host{1 - number}"
        assert not peer.same_machine
        assert not peer.same_host_name
        assert peer.lost_at == ""
        assert peer.round_trip_seconds is not None
        assert peer.ahead_seconds is not None
        assert abs(peer.ahead_seconds) < MEET_SECONDS
        assert peer.seen_after_seconds is not None
        trials = {n: getattr(peer, n) for n in Peer.__struct_fields__}
        held = [n for n, trial in trials.items() if trial == Trial(held=True)]
        assert len(held) == 9, trials


@pytest.mark.slow
def test_two_of_one_machine_say_so(tmp_path: Path) -> None:
    for peer in together(tmp_path, try_all, try_all, machines=("m", "m")):
        assert isinstance(peer, Peer)
        assert peer.same_machine


@pytest.mark.slow
def test_two_pairs_at_once_find_each_other(tmp_path: Path) -> None:
    def meet(ground: Ground, talk: Talk) -> str:
        assert talk.peer is not None
        you = str(talk.exchange({"you": talk.peer.id})["you"])
        # Whoever goes first must have been heard.
        with contextlib.suppress(PeerLost):
            talk.exchange()
        return you

    ids = together(tmp_path, meet, meet, meet, meet)
    assert len(set(ids)) == 4


class Odd(LocalShare):
    """A share that breaks promises; see each test."""

    replaces = False
    not_exclusive = False
    blind = False
    old_sizes = False
    old_bytes = False

    def rename_new(self, source: Place, target: Place) -> None:
        if self.replaces:
            self._tree.replace(source, target)
        else:
            super().rename_new(source, target)

    def create(self, place: Place):  # type: ignore[no-untyped-def]
        if self.not_exclusive and ("race" in place.name or "mark" in place.name):
            path = os.path.join(*map(os.fsdecode, self.roots.values()), place.path)
            return open(path, "wb", buffering=0)
        return super().create(place)

    def entries(self, folder: Place):  # type: ignore[no-untyped-def]
        if not (self.blind and folder.name == "seen"):
            yield from super().entries(folder)

    def look(self, place: Place, *, closely: bool = False):  # type: ignore[no-untyped-def]
        facts = super().look(place, closely=closely)
        if self.old_sizes and facts is not None and facts.identity.size == 17:
            old = msgspec.structs.replace(facts.identity, size=10)
            return msgspec.structs.replace(facts, identity=old)
        return facts

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        data = super().read(place, bytes_max)
        return b"old!" if self.old_bytes and data == b"new!" else data


def through(manner: str) -> Side:
    def side(ground: Ground, talk: Talk) -> Peer:
        share = Odd(ground.share.roots)
        setattr(share, manner, True)
        ground.share = share
        return try_all(ground, talk)

    return side


@pytest.mark.slow
@pytest.mark.parametrize(
    ("manner", "broken"),
    [
        ("replaces", {"kept": "the peer's file was replaced"}),
        ("not_exclusive", {"exclusive": "both made one name", "marker": "two owners"}),
        ("blind", {"freshened": "an old listing"}),
        ("old_sizes", {"grown": "another size"}),
        ("old_bytes", {"rewritten": "other bytes"}),
    ],
)
def test_machine_that_sees_the_share_otherwise_is_caught(
    tmp_path: Path, manner: str, broken: dict[str, str]
) -> None:
    found, _ = together(tmp_path, through(manner), try_all)
    assert isinstance(found, Peer)
    assert found.lost_at == ""
    for name, met in broken.items():
        assert getattr(found, name) == Trial(held=False, met=met)
    if manner == "blind":
        assert found.seen_after_seconds is None


@pytest.mark.slow
def test_locks_that_do_not_hold_between_two_are_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Anyone:
        def release(self) -> None:
            return

    for name in ("try_lock", "contend"):
        monkeypatch.setattr(probes_between, name, lambda *_words, **_named: Anyone())
    for peer in together(tmp_path, try_all, try_all):
        assert isinstance(peer, Peer)
        assert peer.flock == peer.soft_lock == Trial(held=False, met="two owners")


@pytest.mark.slow
def test_locks_that_cannot_be_had_are_told_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("try_lock", "contend"):
        monkeypatch.setattr(probes_between, name, refusing(errno.ENOLCK))
    for peer in together(tmp_path, try_all, try_all):
        assert isinstance(peer, Peer)
        assert peer.flock == Trial(held=False, met="ENOLCK")
        assert peer.lost_at == ""


@pytest.mark.slow
def test_peer_that_goes_is_lost_at_once_and_what_was_found_counts(
    tmp_path: Path,
) -> None:
    def go(ground: Ground, talk: Talk) -> None:
        between = probes_between._Between(ground, talk, 1.0)
        for name, step in between.steps():
            if name == "growing a file":
                return
            step()

    found, _ = together(tmp_path, try_all, go)
    assert isinstance(found, Peer)
    # It may go before its last answer was heard.
    assert found.lost_at in ("comparing clocks", "growing a file")
    assert found.round_trip_seconds is not None
    assert found.grown is None


def write_lines(ground: Ground, other: str, *lines: Line) -> Path:
    path = Path(ground.folder) / (other + PEER_SUFFIX)
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path


def test_nobody_comes_and_the_wait_is_bounded(tmp_path: Path) -> None:
    clock = FakeClock()
    with Ground(str(tmp_path), clock) as ground:
        start = clock.monotonic()
        assert not Talk(ground).meet(60.0)
        assert clock.monotonic() - start == pytest.approx(60.0, abs=1.0)
    assert os.listdir(tmp_path) == []


def test_file_of_a_dead_probe_is_no_peer(tmp_path: Path) -> None:
    with Ground(str(tmp_path), FakeClock()) as ground:
        path = write_lines(ground, "dead", Line(hello=Hello("dead", "h", "m")))
        (Path(ground.folder) / ("torn" + PEER_SUFFIX)).write_bytes(b'{"hello":')
        write_lines(ground, "forged", Line(hello=Hello("another", "h", "m")))
        assert not Talk(ground).meet(5.0)
        assert path.exists()


def test_peer_that_says_nothing_any_more_is_lost_after_the_time_of_a_step(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with Ground(str(tmp_path), clock) as ground:
        talk = Talk(ground)
        hello = Hello("0", "h", "m")
        lines = [Line(hello=hello)]
        sleep = clock.sleep

        def speak(seconds: float) -> None:
            if talk.peer is None:
                # It lives, and wants to work with this one, until they have met.
                lines.append(Line(partner=ground.id))
                write_lines(ground, "0", *lines)
            sleep(seconds)

        clock.sleep = speak  # type: ignore[method-assign]
        assert talk.meet(60.0)
        assert talk.peer == hello
        assert not talk.is_first
        start = clock.monotonic()
        with pytest.raises(PeerLost):
            talk.exchange()
        assert clock.monotonic() - start == pytest.approx(30.0, abs=1.0)


def test_talk_leaves_out_what_is_no_line(tmp_path: Path) -> None:
    with Ground(str(tmp_path), FakeClock()) as ground:
        path = write_lines(ground, "x", Line(step={"a": 1}))
        with path.open("ab") as stream:
            stream.write(b'nonsense\n{"step":{"a":2}}\n{"step":{"a"')
        talk = Talk(ground)
        heard = talk._read(Place(ground.place.root, "x" + PEER_SUFFIX))
        assert heard is not None
        assert heard.steps == [{"a": 1}, {"a": 2}]
        assert talk._read(Place(ground.place.root, "gone" + PEER_SUFFIX)) is None


def test_talk_that_cannot_be_read_for_a_moment_is_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: LocalShare, place: Place, bytes_max: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    with Ground(str(tmp_path), FakeClock()) as ground:
        talk = Talk(ground)
        with monkeypatch.context() as patch:
            patch.setattr(LocalShare, "read", refuse)
            assert talk._read(ground.place.child("x")) == Heard()


@pytest.mark.parametrize(
    ("partners", "chosen"),
    [
        ({}, ""),
        ({"b": "", "a": ""}, "a"),
        ({"b": "me", "a": ""}, "b"),
        ({"b": "c", "c": "b"}, ""),
    ],
)
def test_choice_is_who_wants_this_one_or_else_who_is_free(
    partners: dict[str, str], chosen: str
) -> None:
    others = {name: Heard(partner=wanted) for name, wanted in partners.items()}
    assert _choose("me", others) == chosen


def test_machine_is_told_by_what_no_clone_has(monkeypatch: pytest.MonkeyPatch) -> None:
    from paxect_batch.world import probes_peer

    assert this_machine() == this_machine() != ""
    monkeypatch.setattr(probes_peer, "_BOOT_ID", "/nowhere")
    assert "-" in this_machine()
