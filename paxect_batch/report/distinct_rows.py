"""Short rows of bytes, each kept once, given back in order, in little memory."""

from __future__ import annotations

from collections.abc import Iterator


class DistinctRows:
    """Rows of one length; each takes that much memory, also while they are sorted."""

    def __init__(self, row_bytes: int) -> None:
        self._row_bytes = row_bytes
        # By the first byte, so that sorting needs memory for a small part at a time.
        self._buckets: dict[int, bytearray] = {}

    def __bool__(self) -> bool:
        return bool(self._buckets)

    def add(self, row: bytes) -> None:
        """Take in a row."""
        bucket = self._buckets.get(row[0])
        if bucket is None:
            bucket = self._buckets[row[0]] = bytearray()
        bucket += row

    def merge(self, other: DistinctRows) -> None:
        """Take in all rows of the other."""
        for first, rows in other._buckets.items():
            self._buckets.setdefault(first, bytearray()).extend(rows)

    def groups(self) -> Iterator[list[bytes]]:
        """Give all rows, each once and in order, some at a time."""
        size = self._row_bytes
        for _, bucket in sorted(self._buckets.items()):
            data = bytes(bucket)
            yield sorted(
                {data[start : start + size] for start in range(0, len(data), size)}
            )
