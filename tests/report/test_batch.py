"""What several runs delivered together, and each one's part of it."""

from __future__ import annotations

import random
import tracemalloc

from report_samples import a_record

from paxect_batch.model.audit import Batch, Tally
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.report.batch import BatchFold
from paxect_batch.report.digest import BatchDigest

NAMES = ("a", "b", "c", "d", "e")


def encoded(name: str) -> Record:
    return a_record(
        name,
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, name),
        target=Place(Root.WIRE, f"{name}.freq"),
    )


def batch_of(*parts: list[Record], mixed: bool = False) -> Batch:
    fold = BatchFold("b1")
    for number, records in enumerate(parts):
        fold.begin_part(f"n{number}", f"r{number}")
        for record in records:
            fold.add(record)
    return fold.batch(mixed=mixed)


def test_batch_is_the_same_however_runs_share_it_and_in_whatever_order() -> None:
    records = [make(name) for name in NAMES for make in (encoded, a_record)]
    one = batch_of(records)
    dice = random.Random(7)
    for _ in range(20):
        dice.shuffle(records)
        cut = dice.randrange(len(records))
        found = batch_of(records[:cut], records[cut:])
        assert (found.digest, found.raw_digest) == (one.digest, one.raw_digest)
        assert found.delivered == one.delivered == Tally(5, 60)
        assert sum(part.delivered.files for part in found.parts) == 5


def test_digest_of_a_batch_and_of_a_part_is_that_of_a_run() -> None:
    records = [a_record(name) for name in NAMES]
    digest = BatchDigest()
    for record in records:
        digest.add(record)
    found = batch_of(records, [])
    assert found.digest == found.parts[0].digest == digest.hexdigest()
    assert found.parts[1].digest == BatchDigest().hexdigest()
    assert (found.parts[1].node, found.parts[1].run) == ("n1", "r1")


def test_delivery_that_two_runs_recorded_counts_once_in_the_batch() -> None:
    found = batch_of([a_record("a"), a_record("b")], [a_record("b"), a_record("c")])
    assert found.delivered == Tally(3, 36)
    assert [part.delivered.files for part in found.parts] == [2, 2]


def test_same_file_that_is_dropped_again_counts_again() -> None:
    again = a_record("a", identity=Identity(80, 9, 9))
    found = batch_of([a_record("a"), again])
    assert found.delivered.files == 2
    assert found.digest == batch_of([a_record("a")]).digest


def test_batch_that_only_encodes_counts_what_came_to_the_wire() -> None:
    found = batch_of([encoded("a")], [encoded("b")])
    assert found.delivered.files == 2
    assert [part.delivered.files for part in found.parts] == [1, 1]


def test_runs_that_did_nothing_take_hardly_any_memory() -> None:
    """Twenty thousand of them took more than a gigabyte."""
    fold = BatchFold("b")
    tracemalloc.start()
    try:
        for number in range(1000):
            fold.begin_part("n", f"r{number}")
        assert tracemalloc.get_traced_memory()[0] < 2 << 20
    finally:
        tracemalloc.stop()


def test_part_that_only_encoded_delivered_nothing_of_a_relayed_batch() -> None:
    found = batch_of([encoded("a")], [a_record("a")])
    assert [part.delivered.files for part in found.parts] == [0, 1]


def test_records_that_delivered_nothing_change_nothing() -> None:
    aside = a_record("x", fate=Fate.SET_ASIDE, target=None)
    assert batch_of([a_record("a"), aside]) == batch_of([a_record("a")])


def test_another_codec_changes_the_digest_and_not_that_of_the_raw_bytes() -> None:
    other = a_record("a", container_sha256="cc" * 32, container_bytes=81)
    one, two = batch_of([a_record("a")]), batch_of([other], mixed=True)
    assert one.digest != two.digest
    assert one.raw_digest == two.raw_digest
    assert (one.mixed, two.mixed) == (False, True)
