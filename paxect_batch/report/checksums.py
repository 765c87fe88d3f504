"""Lines that `sha256sum -c` checks: made of records, and read as others make them."""

from __future__ import annotations

import re

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, to_bytes
from paxect_batch.model.records import Fate, Record

# What `sha256sum --tag` and BSD's `sha256` write. A mark before it says, as it does
# before a digest, that the name is escaped.
_TAGGED = re.compile(rb"SHA256 \(.*\) = (\S+)")
_MARK = b"\\"
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
    start = _MARK if escaped != name else b""
    return start + sha256.encode() + b"  " + escaped + b"\n"


def digest_in(sidecar: bytes) -> str:
    """Return the digest that a sidecar tells, in lower case; empty if it has no word.

    It may be bare, or a line of `sha256sum` in any form, for a name of any bytes. Where
    it is none of these its first word is returned, which no digest is equal to.
    """
    line = sidecar.strip().partition(b"\n")[0].removeprefix(_MARK)
    tagged = _TAGGED.match(line)
    words = tagged.groups() if tagged else line.split(None, 1)
    return words[0].decode("ascii", "replace").lower() if words else ""


def record_line(record: Record, *, prefix: bytes = b"") -> bytes:
    """Return the line of a delivered file, its name below its root and a prefix."""
    target = delivered_place(record)
    assert target is not None, "a record of a delivery is needed"
    return checksum_line(delivered_sha256(record), prefix + to_bytes(target.path))
