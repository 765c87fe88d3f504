"""Who made a container is told by records, in whatever order they are read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
from relay_bench import Events, policy_with
from relay_samples import manifest_of

from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Policy
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.handshake import signed
from paxect_batch.relay.trust import Peer, Trust

KEY = b"secret"
CONTAINER = Place(Root.WIRE, "a.txt.freq")
LISTED = policy_with(trusted_nodes=("own", "good"))
UNKNOWN = "untrusted_node:stranger"
"""Why containers are not decoded of which nobody knows who made them."""
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def made(node: str, *, at: str, sha256: str = "one") -> Record:
    return Record(
        fate=Fate.DELIVERED,
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "a.txt"),
        identity=Identity(1, 2, 3),
        target=CONTAINER,
        container_sha256=sha256,
        node=node,
        at=at,
    )


def decoded(*, at: str, sha256: str = "one") -> Record:
    return Record(
        fate=Fate.DELIVERED,
        direction=Direction.DECODE,
        source=CONTAINER,
        identity=Identity(1, 2, 3),
        target=Place(Root.OUTBOX, "a.txt"),
        container_sha256=sha256,
        node="good",
        at=at,
    )


def item(inode: int = 1) -> Item:
    facts = Facts(Kind.FILE, Identity(1, 2, inode), 0)
    return Item(Direction.DECODE, CONTAINER, facts)


class Told:
    """Records that are read once, and who was asked for as living."""

    def __init__(self, *records: Record) -> None:
        self._records = list(records)
        self.living: set[str] = set()

    def read(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        self.living |= set(living)
        while self._records:
            yield self._records.pop(0)


def peer(name: str, node: str, key: bytes | None) -> Peer:
    return Peer(name, "", msgspec.json.encode(signed(manifest_of(node), key)))


def trust(news: Told, *peers: Peer, policy: Policy = LISTED) -> Trust:
    found = peers or (peer("stranger.json", "stranger", None),)
    made = Trust(
        lambda fresh: found,
        news,
        Events(),
        options=RunOptions(node="own", run="run"),
        key=KEY,
    )
    made.look(policy, {"other"})
    return made


def read_as(sha256: str) -> tuple[Any, Any]:
    """Return a task of the container, and that it was read with that digest."""
    task = SimpleNamespace(
        direction=Direction.DECODE, source=CONTAINER, identity=item().identity
    )
    return task, SimpleNamespace(container_sha256=sha256)


def test_container_is_that_of_who_made_it_last_though_it_is_read_first() -> None:
    records = made("bad", at=LATE), made("good", at=EARLY)
    assert trust(Told(*records)).reason(item()) == "untrusted_node:bad"


def test_container_made_anew_is_its_makers_though_the_same_was_decoded_before() -> None:
    assert trust(Told(made("good", at=LATE), decoded(at=EARLY))).reason(item()) == ""


def test_container_in_place_of_a_decoded_one_is_anybodys_whatever_is_read_first() -> (
    None
):
    told = Told(decoded(at=LATE), made("good", at=EARLY))
    assert trust(told).reason(item()) == UNKNOWN


def test_container_that_was_refused_as_it_was_read_is_refused_alone() -> None:
    asked = trust(Told(made("good", at=EARLY)))
    assert asked.reason_once_read(*read_as("another")) == UNKNOWN
    assert asked.reason(item()) == UNKNOWN
    assert asked.reason(item(inode=2)) == ""


def test_container_that_was_refused_is_judged_anew_by_a_new_policy() -> None:
    asked = trust(Told(made("good", at=EARLY)))
    asked.reason_once_read(*read_as("another"))
    asked.look(policy_with(trusted_nodes=("own", "good", "stranger")), ())
    assert asked.reason(item()) == ""


def test_node_with_two_manifests_is_trusted_only_where_both_are() -> None:
    both = peer("one.json", "twice", None), peer("two.json", "twice", KEY)
    for peers in (both, both[::-1]):
        told = Told(made("twice", at=EARLY))
        asked = trust(told, *peers, policy=policy_with(require_sig=True))
        assert asked.reason(item()) == "unsigned:twice"


def test_own_ledger_is_read_as_that_of_a_run_that_lives() -> None:
    told = Told()
    trust(told)
    assert told.living == {"other", "run"}
