"""Whose containers are decoded: what manifests and ledgers say by now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import pytest
from relay_bench import (
    FAST,
    Bench,
    Crash,
    SteppedClock,
    WatchedShare,
    policy_with,
)
from relay_samples import manifest_of

import paxect_core
from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry, Mode
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.run import Standing
from paxect_batch.relay.handshake import signed
from paxect_batch.relay.state import state

KEY = b"secret"
SIGNED = policy_with(require_sig=True)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def encoded_by(bench: Bench, node: str, name: str, key: bytes | None = KEY) -> None:
    bench.drop(name, f"{name} of {node}".encode())
    bench.drain(name=node, mode=Mode.ENCODE, key=key, manifest=manifest_of(node))


def decoded(bench: Bench, policy: Policy = SIGNED) -> Standing:
    standing = bench.drain(name="b", mode=Mode.DECODE, policy=policy, key=KEY)
    bench.take_all()
    return standing


def place_of(bench: Bench, node: str) -> Path:
    return bench.state / "nodes" / node / "manifest.json"


class Watching:
    """Acts at times, and asks to stop once all is done."""

    now = False

    def __init__(self, clock: SteppedClock, acts: list[Callable[[], None]]) -> None:
        self._clock = clock
        self._acts = acts
        self._next = 1.0

    @property
    def requested(self) -> bool:
        if self._clock.seconds < self._next:
            return False
        self._next += 10.0
        if not self._acts:
            return True
        self._acts.pop(0)()
        return False


def watched(
    bench: Bench, *acts: Callable[[], None], policy: Callable[[], Policy]
) -> None:
    clock = SteppedClock()
    bench.drain(
        name="b",
        mode=Mode.DECODE,
        read_policy=policy,
        key=KEY,
        clock=clock,
        stop=Watching(clock, list(acts)),
        watch=True,
        poll_seconds=1.0,
    )
    bench.take_all()


def test_node_that_signs_and_came_after_the_watch_began_is_trusted(
    bench: Bench,
) -> None:
    watched(bench, lambda: encoded_by(bench, "c", "good"), policy=lambda: SIGNED)
    assert [name for name, _ in bench.taken] == ["good"]


def test_node_that_does_not_sign_and_came_after_the_watch_began_is_not_trusted(
    bench: Bench,
) -> None:
    encoded_by(bench, "c", "good")
    watched(bench, lambda: encoded_by(bench, "a", "evil", None), policy=lambda: SIGNED)
    assert [name for name, _ in bench.taken] == ["good"]
    assert [line[3] for line in bench.events.named(Event.HANDSHAKE_REJECT)] == [
        "unsigned:a"
    ]


@pytest.mark.parametrize(
    "stricter", [SIGNED, policy_with(trusted_nodes=("b", "c"))], ids=["sig", "trusted"]
)
def test_policy_that_became_stricter_holds_for_what_comes_then(
    bench: Bench, stricter: Policy
) -> None:
    policy = FAST

    def tighten() -> None:
        nonlocal policy
        policy = stricter

    watched(
        bench,
        lambda: encoded_by(bench, "a", "before", None),
        tighten,
        lambda: encoded_by(bench, "a", "after", None),
        lambda: encoded_by(bench, "c", "good"),
        policy=lambda: policy,
    )
    assert [name for name, _ in bench.taken] == ["before", "good"]


def other_node(data: bytes) -> bytes:
    manifest = json.loads(data)
    manifest["payload"]["node"] = "b"
    return json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path, c: None, "unsigned:a"),
        (lambda path, c: path.write_bytes(b"{"), "unreadable_manifest:"),
        (lambda path, c: path.write_bytes(b'{"payload":{}}'), "malformed:a"),
        (lambda path, c: path.unlink(), "no_manifest:a"),
        (
            lambda path, c: path.write_bytes(other_node(path.read_bytes())),
            "malformed:a",
        ),
        (lambda path, c: path.write_bytes(c.read_bytes()), "malformed:a"),
    ],
    ids=["as it is", "no JSON", "no node", "none", "the reader's", "another's"],
)
def test_node_that_signed_nothing_is_not_trusted_whatever_lies_in_its_place(
    bench: Bench, change: Callable[[Path, Path], object], reason: str
) -> None:
    encoded_by(bench, "c", "good")
    encoded_by(bench, "a", "evil", None)
    change(place_of(bench, "a"), place_of(bench, "c"))
    planned = {each.source.name: each for each in _planned(bench)}
    assert planned["evil.freq"].decision.reason.startswith(reason)
    standing = decoded(bench)
    assert [name for name, _ in bench.taken] == ["good"]
    assert standing.blocked_files == 1


def _planned(bench: Bench) -> list[object]:
    node = bench.node(name="b", mode=Mode.DECODE, policy=SIGNED, key=KEY)
    try:
        return list(node.plan())
    finally:
        bench.ledger.close()


def test_container_of_a_name_that_a_trusted_node_used_before_is_anybodys(
    bench: Bench,
) -> None:
    encoded_by(bench, "c", "daily")
    decoded(bench)
    encoded_by(bench, "a", "other", None)
    (bench.wire / "daily.freq").write_bytes(paxect_core.encode_bytes(b"evil"))
    standing = decoded(bench)
    assert [data for _, data in bench.taken] == [b"daily of c"]
    assert standing.blocked_files == 2


def test_container_in_place_of_one_that_a_trusted_node_made_is_anybodys(
    bench: Bench,
) -> None:
    encoded_by(bench, "c", "daily")
    encoded_by(bench, "a", "other", None)
    (bench.wire / "daily.freq").write_bytes(paxect_core.encode_bytes(b"evil"))
    (bench.wire / "daily.freq.sha256").unlink()
    for _ in range(2):
        assert decoded(bench).blocked_files == 2
    assert bench.taken == []
    assert (bench.wire / "daily.freq").exists()


@pytest.mark.parametrize("says", ["nothing", "another's name"])
def test_origin_that_is_not_in_the_list_is_not_trusted_whatever_its_manifest_says(
    bench: Bench, says: str
) -> None:
    encoded_by(bench, "a", "evil", None)
    encoded_by(bench, "c", "good", None)
    place_of(bench, "a").unlink()
    if says != "nothing":
        place_of(bench, "a").write_bytes(place_of(bench, "c").read_bytes())
    standing = decoded(bench, policy_with(trusted_nodes=("b", "c")))
    assert [name for name, _ in bench.taken] == ["good"]
    assert standing.blocked_files == 1


def test_manifests_are_told_once_while_they_say_the_same(bench: Bench) -> None:
    encoded_by(bench, "c", "good")
    bench.events.lines.clear()
    watched(
        bench,
        lambda: encoded_by(bench, "c", "more"),
        lambda: place_of(bench, "c").write_bytes(
            msgspec.json.encode(signed(manifest_of("c"), None))
        ),
        policy=lambda: SIGNED,
    )
    of_b = [line for line in bench.events.named(Event.HANDSHAKE) if line[3] == "c"]
    assert len(of_b) == 1
    assert len(bench.events.named(Event.HANDSHAKE_REJECT)) == 1


def test_node_whose_manifest_an_old_listing_lacks_is_trusted(bench: Bench) -> None:
    class Late(WatchedShare):
        """Lists nodes as they were, until it made the folder fresh."""

        lists_late = True
        is_fresh = False

        def freshen(self, folder: Place) -> None:
            self.is_fresh |= folder == state("nodes")
            self._share.freshen(folder)

        def entries(self, folder: Place) -> Iterator[Entry]:
            if folder != state("nodes") or self.is_fresh:
                yield from self._share.entries(folder)

    encoded_by(bench, "c", "good")
    bench.drain(Late(bench.share()), name="b", mode=Mode.DECODE, policy=SIGNED, key=KEY)
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["good"]


def test_node_that_came_while_a_pass_goes_on_is_judged_before_it_is_trusted(
    bench: Bench,
) -> None:
    encoded_by(bench, "c", "good")
    (bench.wire / "z").mkdir()

    class Late(WatchedShare):
        has_come = False

        def entries(self, folder: Place) -> Iterator[Entry]:
            if str(folder) == "wire/z" and not self.has_come:
                self.has_come = True
                encoded_by(bench, "a", "z/evil", None)
            yield from self._share.entries(folder)

    share = Late(bench.share())
    bench.drain(share, name="b", mode=Mode.DECODE, policy=SIGNED, key=KEY)
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["good"]


def test_container_that_a_run_recovered_of_its_own_node_is_trusted(
    tmp_path: Path,
) -> None:
    manifest = manifest_of("b")
    for point in range(200):
        folder = tmp_path / str(point)
        folder.mkdir()
        bench = Bench(folder)
        bench.drop("b.txt", b"data")

        def die(number: int, name: str, at: int = point) -> None:
            if number >= at:
                raise Crash

        share = WatchedShare(bench.share(), before=die)
        try:
            bench.drain(share, name="b", key=KEY, policy=SIGNED, manifest=manifest)
        except Crash:
            bench.drain(name="b", key=KEY, policy=SIGNED, manifest=manifest)
            bench.check_delivered_once()
        else:
            break
    assert point > 50


def test_container_that_is_not_the_recorded_one_is_read_once(bench: Bench) -> None:
    encoded_by(bench, "c", "daily")
    encoded_by(bench, "a", "other", None)
    (bench.wire / "daily.freq").write_bytes(paxect_core.encode_bytes(b"evil"))
    (bench.wire / "daily.freq.sha256").unlink()
    staged: list[Place] = []

    class Noted(WatchedShare):
        def create(self, place: Place) -> IO[bytes]:
            if place.name.endswith(".part") and "intent" not in place.name:
                staged.append(place)
            return self._share.create(place)  # type: ignore[no-any-return]

    clock = SteppedClock()
    bench.drain(
        Noted(bench.share()),
        name="b",
        mode=Mode.DECODE,
        policy=SIGNED,
        key=KEY,
        clock=clock,
        stop=Watching(clock, [lambda: None] * 5),
        watch=True,
        poll_seconds=1.0,
    )
    assert len(staged) == 1


@pytest.mark.parametrize("on_done", list(OnDone))
def test_dry_run_writes_nothing_on_a_share_whose_listings_are_old(
    bench: Bench, on_done: OnDone
) -> None:
    encoded_by(bench, "c", "good")
    done: list[str] = []

    class Old(WatchedShare):
        lists_late = True

    share = Old(bench.share(), before=lambda _number, name: done.append(name))
    policy = policy_with(require_sig=True, on_done=on_done)
    node = bench.node(share, name="b", mode=Mode.DECODE, policy=policy, key=KEY)
    assert [each.source.name for each in node.plan()] == ["good.freq"]
    bench.ledger.close()
    assert not {"freshen", "create", "write", "remove", "now"} & set(done)


def test_node_that_only_encodes_does_not_learn_who_made_what(bench: Bench) -> None:
    """What is decoded elsewhere would stay in its memory for ever."""
    encoded_by(bench, "a", "one")
    opened: list[str] = []

    class Reading(WatchedShare):
        def open_source(self, place: Place) -> IO[bytes]:
            opened.append(place.path)
            stream: IO[bytes] = self._share.open_source(place)
            return stream

    for mode, reads in ((Mode.ENCODE, False), (Mode.DECODE, True)):
        opened.clear()
        bench.drain(
            Reading(bench.share()),
            name="b",
            mode=mode,
            policy=SIGNED,
            key=KEY,
            manifest=manifest_of("b"),
        )
        assert any(path.startswith("ledger/a/") for path in opened) is reads
