"""The batch digest depends on what was delivered and on nothing else."""

import random

from hypothesis import given
from hypothesis import strategies as st
from report_samples import a_record

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate
from paxect_batch.report.digest import BatchDigest, canonical_line

RECORDS = [a_record(f"f{number}.txt", raw_bytes=number) for number in range(1000)]


def digest_of(records: object) -> str:
    digest = BatchDigest()
    for record in records:  # type: ignore[attr-defined]
        digest.add(record)
    return digest.hexdigest()


def test_digest_of_nothing_is_the_sha256_of_nothing() -> None:
    assert BatchDigest().hexdigest() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_digest_of_a_known_batch_never_changes() -> None:
    assert digest_of(RECORDS[:3]) == (
        "2eee34527cf727aa401e196011d13f7b6e85190c75a4e6fdfc363aa5bea7761f"
    )


def test_digest_when_order_differs_is_the_same() -> None:
    shuffled = RECORDS[:]
    random.Random(7).shuffle(shuffled)
    assert digest_of(shuffled) == digest_of(RECORDS)


@given(st.lists(st.integers(0, 2), min_size=50, max_size=50))
def test_digest_when_merged_from_any_nodes_is_that_of_one_node(
    nodes: list[int],
) -> None:
    digests = [BatchDigest() for _ in range(3)]
    for record, node in zip(RECORDS[:50], nodes, strict=True):
        digests[node].add(record)
    total = BatchDigest()
    for digest in digests:
        total.merge(digest)
    assert total.hexdigest() == digest_of(RECORDS[:50])


def test_digest_when_a_record_is_read_twice_is_the_same() -> None:
    assert digest_of(RECORDS + RECORDS[:100]) == digest_of(RECORDS)


def test_digest_leaves_out_who_when_and_which_source() -> None:
    other = a_record(
        source=Place(Root.INBOX, "elsewhere"),
        identity=Identity(1, 5, 9),
        node="n2",
        run="r2",
        generation=4,
        codec="x",
        at="2027",
        adopted=True,
    )
    assert canonical_line(other) == canonical_line(a_record())


def test_digest_counts_each_field_of_a_delivery() -> None:
    lines = {
        canonical_line(record)
        for record in (
            a_record(),
            a_record(direction=Direction.ENCODE),
            a_record(target=Place(Root.WIRE, "a.txt")),
            a_record(target=None),
            a_record(raw_sha256="cc" * 32),
            a_record(raw_bytes=13),
            a_record(container_sha256="cc" * 32),
            a_record(container_bytes=81),
        )
    }
    assert len(lines) == 8


def test_digest_leaves_out_what_was_set_aside() -> None:
    assert digest_of([a_record(fate=Fate.SET_ASIDE)]) == digest_of([])
