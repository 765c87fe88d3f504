"""What a node that asks whose containers are holds in memory of long ledgers."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from relay_bench import Bench, Events, policy_with

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.moments import utc
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.trust import Trust
from paxect_batch.world.ledger import FileLedger

CONTAINERS = 20_000
BYTES_EACH_AT_MOST = 200
"""A record that is remembered takes more."""


def record(direction: Direction, number: int) -> Record:
    encodes = direction is Direction.ENCODE
    container = Place(Root.WIRE, f"folder/{number:09}.freq")
    raw = Place(Root.INBOX if encodes else Root.OUTBOX, f"folder/{number:09}")
    return Record(
        fate=Fate.DELIVERED,
        direction=direction,
        source=raw if encodes else container,
        identity=Identity(number, number, number),
        target=container if encodes else raw,
        container_sha256=f"{number:064x}",
        node="a" if encodes else "b",
        run="20260101T000000000Z-aaaaaa",
        at=utc(1_700_000_000 + number + (0 if encodes else 0.5)),
    )


def write(bench: Bench, node: str, records: Iterable[Record]) -> None:
    folder = bench.state / "ledger" / node
    folder.mkdir(parents=True)
    with (folder / "20260101T000000000Z-aaaaaa.jsonl").open("wb") as stream:
        for each in records:
            stream.write(msgspec.json.encode(each) + b"\n")


def all_of(direction: Direction) -> Iterator[Record]:
    return (record(direction, number) for number in range(CONTAINERS))


def made_and_decoded(bench: Bench) -> None:
    write(bench, "a", all_of(Direction.ENCODE))
    write(bench, "b", all_of(Direction.DECODE))


def made_elsewhere(bench: Bench) -> None:
    write(bench, "b", all_of(Direction.DECODE))


@pytest.mark.parametrize("lie_there", [made_and_decoded, made_elsewhere])
def test_what_was_decoded_takes_no_memory_however_long_ledgers_are(
    tmp_path: Path, lie_there: Callable[[Bench], None]
) -> None:
    bench = Bench(tmp_path)
    lie_there(bench)
    ledger = FileLedger(bench.share(), "c", "run")
    trust = Trust(
        lambda _: [],
        ledger.follow(),
        Events(),
        options=RunOptions(node="c", run="run"),
        key=b"secret",
    )
    tracemalloc.start()
    try:
        trust.look(policy_with(require_sig=True), ())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < CONTAINERS * BYTES_EACH_AT_MOST
