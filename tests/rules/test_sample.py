"""Which items are encoded twice."""

from __future__ import annotations

from paxect_batch.rules.sample import TWICE_BYTES_MAX, encode_twice


def test_encode_twice_of_the_first_small_item() -> None:
    assert encode_twice("whatever", 1, 0)
    assert encode_twice("whatever", TWICE_BYTES_MAX, 0)
    assert not encode_twice("whatever", TWICE_BYTES_MAX + 1, 0)


def test_encode_twice_of_about_one_in_64_by_the_item_alone() -> None:
    chosen = [n for n in range(6400) if encode_twice(f"sub/file-{n}.csv", 100, 5)]
    assert 70 <= len(chosen) <= 130
    again = [n for n in range(6400) if encode_twice(f"sub/file-{n}.csv", 100, 99)]
    assert again == chosen
    assert not any(
        encode_twice(f"sub/file-{n}.csv", TWICE_BYTES_MAX + 1, 5) for n in chosen
    )
