"""What must hold for any bytes whatsoever that the readers are given.

`check` is the oracle of the fuzz target and of the corpus test alike. It compares the
streaming reader with itself (threads, sizes of reads, lenient), with `iterate_frames`,
and with `Container`; it knows no expected result for any input.
"""

from __future__ import annotations

import io
import random
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

from paxect_core import errors, limits, reader, wire
from paxect_core.layout import Container
from paxect_core.results import DecodeResult

RAW_BYTES_MAX = 1 << 20
"""The cap on raw bytes of one input, so that none of them takes long."""

_PIECES = (1, 2, 3, 13, 14, 15, 24, 43, 44, 45, 68, 500, 1 << 20)
_ALLOWED = (errors.ContainerError, errors.InputTooLarge)


class Outcome(NamedTuple):
    """How one reading ended: what was handed on, and the result or the error."""

    raw: bytes
    result: DecodeResult | None
    error: errors.ContainerError | errors.InputTooLarge | None

    @property
    def code(self) -> str:
        """The failure class, or `ok`."""
        return "ok" if self.error is None else self.error.code

    def facts(self) -> tuple[object, ...]:
        """All that must be the same for each way of reading the same bytes."""
        return self.raw, self.result, type(self.error), str(self.error)


class Trickle:
    """A stream that gives what is asked for in pieces of its own choosing."""

    def __init__(self, data: bytes, chance: random.Random) -> None:
        self._stream = io.BytesIO(data)
        self._chance = chance

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._chance.choice(_PIECES)))


def check(data: bytes) -> str:
    """Read the bytes in every way there is; return how the strict reader ends.

    Raises `AssertionError` where two ways disagree; what a reader should never raise
    comes out as it is.
    """
    chance = random.Random(crc32(data))
    strict = _check_mode(data, chance, lenient=False)
    lenient = _check_mode(data, chance, lenient=True)
    if strict.error is None:
        assert lenient.facts() == strict.facts()
    return strict.code


def _check_mode(data: bytes, chance: random.Random, *, lenient: bool) -> Outcome:
    outcome = _decode(io.BytesIO(data), threads=1, lenient=lenient)
    for threads, stream in (
        (2, io.BytesIO(data)),
        (1, Trickle(data, chance)),
        (2, Trickle(data, chance)),
    ):
        other = _decode(stream, threads=threads, lenient=lenient)
        assert other.facts() == outcome.facts(), (threads, other.error, outcome.error)
    _check_result(data, outcome)
    # What has no cap of its own is spared the inputs that need one.
    if not isinstance(outcome.error, errors.InputTooLarge):
        _check_frames(data, outcome, lenient=lenient)
        _check_container(data, outcome, chance, lenient=lenient)
    return outcome


def _decode(stream: io.BytesIO | Trickle, *, threads: int, lenient: bool) -> Outcome:
    sink = io.BytesIO()
    try:
        result = reader.decode(
            stream,
            sink,
            threads=threads,
            lenient=lenient,
            input_bytes_max=RAW_BYTES_MAX,
        )
    except _ALLOWED as error:
        return Outcome(sink.getvalue(), None, error)
    return Outcome(sink.getvalue(), result, None)


def _check_result(data: bytes, outcome: Outcome) -> None:
    raw, result, error = outcome
    if isinstance(error, errors.ContainerError):
        assert error.exit_code in {errors.EXIT_STRUCTURE, errors.EXIT_VERIFICATION}
        assert 0 <= error.offset <= len(data), error.offset
        assert error.raw_bytes_passed == len(raw)
    if result is None:
        return
    footer = wire.unpack_footer(data[-limits.FOOTER_BYTES :])
    digest = sha256(raw).digest()
    assert footer == (len(raw), result.frames, digest)
    assert result.raw_bytes == len(raw)
    assert result.raw_sha256 == digest.hex()
    assert result.container_bytes == len(data)
    assert result.container_sha256 == sha256(data).hexdigest()


def _check_frames(data: bytes, outcome: Outcome, *, lenient: bool) -> None:
    """`iterate_frames` gives the same bytes and ends with the same error."""
    parts: list[bytes] = []
    error = None
    try:
        for frame in reader.iterate_frames(io.BytesIO(data), lenient=lenient):
            assert frame.number == len(parts)
            assert frame.raw_offset == sum(map(len, parts))
            parts.append(frame.raw)
    except errors.ContainerError as found:
        error = found
    assert b"".join(parts) == outcome.raw
    assert (type(error), str(error)) == (type(outcome.error), str(outcome.error))


def _check_container(
    data: bytes, outcome: Outcome, chance: random.Random, *, lenient: bool
) -> None:
    """`Container` finds a container right exactly if `decode` does.

    It sees the footer first and the bodies last, so its errors may be others.
    """
    found: errors.ContainerError | None = None
    try:
        container = Container(io.BytesIO(data), lenient=lenient)
        entries = list(container.frames())
        raw = container.read_range(0, RAW_BYTES_MAX + 1)
        right = sha256(raw).digest() == container.inspection.footer.raw_sha256
    except errors.ContainerError as error:
        found = error
    if found is not None:
        assert 0 <= found.offset <= len(data), found.offset
        assert outcome.error is not None
        return
    assert right == (outcome.error is None), outcome.error
    if not right:
        return
    assert raw == outcome.raw
    settings, footer, size = container.inspection
    assert size == len(data)
    assert footer.frames == len(entries)
    assert [entry.channel for entry in entries] == [
        index % settings.channels for index in range(len(entries))
    ]
    for _ in range(2):
        start = chance.randrange(len(raw) + 2)
        length = chance.randrange(len(raw) + 2)
        assert container.read_range(start, length) == raw[start : start + length]
