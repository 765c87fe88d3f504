"""Lines that `sha256sum -c` checks, from records of what was delivered."""

from __future__ import annotations

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, to_bytes
from paxect_batch.model.records import Fate, Record

_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"))


def delivered_sha256(record: Record) -> str:
    """Return the SHA-256 of the file that the record says was delivered."""
    if record.direction is Direction.ENCODE:
        return record.container_sha256
    return record.raw_sha256


def delivered_bytes(record: Record) -> int:
    """Return the size of the file that the record says was delivered."""
    if record.direction is Direction.ENCODE:
        return record.container_bytes
    return record.raw_bytes


def delivered_place(record: Record) -> Place | None:
    """Return where the record says a file was delivered, None if nowhere."""
    return record.target if record.fate is Fate.DELIVERED else None


def checksum_line(sha256: str, name: bytes) -> bytes:
    """Return one line, with the marks that GNU puts on names that would break it."""
    escaped = name
    for plain, mark in _ESCAPES:
        escaped = escaped.replace(plain, mark)
    start = b"\\" if escaped != name else b""
    return start + sha256.encode() + b"  " + escaped + b"\n"


def record_line(record: Record, *, prefix: bytes = b"") -> bytes:
    """Return the line of a delivered file, its name below its root and a prefix."""
    target = delivered_place(record)
    assert target is not None, "a record of a delivery is needed"
    return checksum_line(delivered_sha256(record), prefix + to_bytes(target.path))
