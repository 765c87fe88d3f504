"""Whose containers are decoded: what manifests and ledgers say by now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from relay_bench import FAST, Bench, SteppedClock, WatchedShare, policy_with

import paxect_core
from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry, Mode
from paxect_batch.model.nodes import NodeManifest
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import Standing
from paxect_batch.relay.handshake import signed
from paxect_batch.relay.state import state

KEY = b"secret"
SIGNED = policy_with(require_sig=True)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def manifest_of(node: str) -> NodeManifest:
    return NodeManifest(
        datetime_utc="2026-01-01T00:00:00Z",
        node=node,
        platform="linux",
        policy="p",
        inbox="i",
        outbox="o",
        version="1",
    )


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
