"""A damaged container is rejected, whatever the damage, and always the same way."""

import io
from collections.abc import Sequence

import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import Chopped, describe, lines, noise, reference_container

import paxect_core
from paxect_core import errors, limits
from paxect_core.layout import Container
from paxect_core.wire import Settings

RAW = noise(40) + lines(150)
SETTINGS = Settings(channels=3, frame_bytes=40, level=3)
CONTAINER = reference_container(RAW, SETTINGS)

DENSE_RAW = lines(700)
DENSE_SETTINGS = Settings(channels=2, frame_bytes=300, level=19, verify=True)
DENSE = reference_container(DENSE_RAW, DENSE_SETTINGS)


SMALL_RAW = noise(20) + bytes(30)
SMALL_SETTINGS = Settings(channels=2, frame_bytes=20)
SMALL = reference_container(SMALL_RAW, SMALL_SETTINGS)


def read(container: bytes, **options: object) -> bytes | errors.PaxectError:
    sink = io.BytesIO()
    try:
        paxect_core.decode(io.BytesIO(container), sink, **options)  # type: ignore[arg-type]
    except errors.PaxectError as error:
        return error
    return sink.getvalue()


def bodies(container: bytes) -> list[range]:
    entries = Container(io.BytesIO(container)).frames()
    starts = ((e.offset + limits.FRAME_HEADER_BYTES, e) for e in entries)
    return [range(start, start + e.compressed_bytes) for start, e in starts]


def is_unprotected(container: bytes, place: int, flip: int) -> bool:
    """Whether nothing in the container could tell that these bits are other ones."""
    if place == 6:
        return flip == 1  # the verify flag
    if place == 10:
        return container[10] ^ flip in (0, 1)  # the mapping
    if place == 11:
        return True  # the level, of which the bodies do not speak
    # Inside a zstd frame: spare bits, and other codings of the very same bytes.
    return any(place in body for body in bodies(container))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("container", "raw", "flips"),
    [
        (SMALL, SMALL_RAW, range(1, 256)),
        (DENSE, DENSE_RAW, [1 << bit for bit in range(8)]),
    ],
    ids=["any-value", "any-bit"],
)
def test_every_changed_byte_is_rejected_or_harmless(
    container: bytes, raw: bytes, flips: Sequence[int]
) -> None:
    accepted = set()
    for place in range(len(container)):
        damaged = bytearray(container)
        for flip in flips:
            damaged[place] = container[place] ^ flip
            outcome = read(bytes(damaged))
            if isinstance(outcome, errors.PaxectError):
                assert isinstance(outcome, errors.ContainerError)
                assert outcome.exit_code in (2, 4)
                assert type(outcome) not in (
                    errors.StructureError,
                    errors.VerificationError,
                )
                assert 0 <= outcome.offset <= len(container)
            else:
                assert outcome == raw
                assert is_unprotected(container, place, flip), (place, flip)
                accepted.add((place, flip))
    # What is unprotected is so by its nature; that set must not grow unseen.
    assert {(6, 1), (10, 1), (11, 1)} <= accepted
    in_bodies = {found for found in accepted if found[0] > 11}
    assert len(in_bodies) < 0.02 * len(flips) * len(container)


@pytest.mark.parametrize("container", [CONTAINER, DENSE], ids=["mixed", "dense"])
@pytest.mark.parametrize("threads", [1, 3])
def test_every_truncation_is_a_structure_error(container: bytes, threads: int) -> None:
    for size in range(len(container)):
        outcome = read(container[:size], threads=threads)
        assert isinstance(outcome, errors.StructureError)
        assert isinstance(outcome, errors.Truncated | errors.FrameCountMismatch)
        assert outcome.offset <= size


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"x", b"PXC1"])
@pytest.mark.parametrize("raw", [b"", b"x" * 40, RAW], ids=["empty", "one", "many"])
def test_trailing_data_of_any_length_is_named_as_that(raw: bytes, fill: bytes) -> None:
    container = reference_container(raw, SETTINGS)
    for size in range(1, 101):
        outcome = read(container + (fill * size)[:size])
        assert isinstance(outcome, errors.TrailingData)
        assert outcome.offset == len(container)


def test_two_containers_in_a_row_are_trailing_data() -> None:
    outcome = read(CONTAINER * 2)
    assert isinstance(outcome, errors.TrailingData)
    assert outcome.offset == len(CONTAINER)


def outcome_of(
    container: bytes, *, threads: int, sizes: list[int], input_bytes_max: int | None
) -> tuple[object, ...]:
    sink = io.BytesIO()
    try:
        result = paxect_core.decode(
            Chopped(container, sizes),
            sink,
            threads=threads,
            input_bytes_max=input_bytes_max,
        )
    except errors.PaxectError as error:
        return describe(error), sink.getvalue()
    return tuple(result), sink.getvalue()


edits = st.lists(
    st.tuples(st.integers(0, len(CONTAINER) - 1), st.integers(1, 255)), max_size=3
)


@settings(max_examples=400)
@given(
    edits,
    st.one_of(st.none(), st.integers(0, len(CONTAINER))),
    st.binary(max_size=60),
    st.one_of(st.none(), st.integers(0, 200)),
    samples.chunk_sizes,
    st.integers(2, 4),
)
def test_damage_is_reported_alike_for_any_threads_and_chunking(
    places: list[tuple[int, int]],
    size: int | None,
    trailing: bytes,
    input_bytes_max: int | None,
    sizes: list[int],
    threads: int,
) -> None:
    damaged = bytearray(CONTAINER[:size] + trailing)
    for place, flip in places:
        if place < len(damaged):
            damaged[place] ^= flip
    whole = outcome_of(
        bytes(damaged), threads=1, sizes=[1 << 20], input_bytes_max=input_bytes_max
    )
    chopped = outcome_of(
        bytes(damaged), threads=threads, sizes=sizes, input_bytes_max=input_bytes_max
    )
    assert chopped == whole


@settings(max_examples=200)
@given(st.binary(max_size=200), st.booleans())
def test_garbage_after_a_header_is_rejected_with_a_typed_error(
    garbage: bytes, lenient: bool
) -> None:
    outcome = read(CONTAINER[:24] + garbage, lenient=lenient)
    assert isinstance(outcome, errors.StructureError)


@settings(max_examples=200)
@given(edits.filter(bool))
def test_iterate_frames_refuses_what_decode_refuses(
    places: list[tuple[int, int]],
) -> None:
    damaged = bytearray(CONTAINER)
    for place, flip in places:
        damaged[place] ^= flip
    outcome = read(bytes(damaged))
    frames = paxect_core.iterate_frames(io.BytesIO(damaged))
    if isinstance(outcome, errors.ContainerError):
        with pytest.raises(type(outcome)) as caught:
            list(frames)
        assert describe(caught.value)[:3] == describe(outcome)[:3]
    else:
        assert b"".join(frame.raw for frame in frames) == outcome


def test_decode_when_a_frame_is_damaged_hands_on_only_those_before_it() -> None:
    place = bodies(CONTAINER)[2][-1]
    damaged = bytearray(CONTAINER)
    damaged[place] ^= 255
    for threads in (1, 2, 4):
        sink = io.BytesIO()
        with pytest.raises(errors.ContainerError) as caught:
            paxect_core.decode(io.BytesIO(damaged), sink, threads=threads)
        assert sink.getvalue() == RAW[:80]
        assert caught.value.raw_bytes_passed == 80
        assert caught.value.frame == 2


def test_verify_when_damaged_has_passed_nothing_on() -> None:
    damaged = CONTAINER[:-1] + bytes([CONTAINER[-1] ^ 1])
    with pytest.raises(errors.DigestMismatch) as caught:
        paxect_core.verify(io.BytesIO(damaged))
    assert caught.value.raw_bytes_passed == 0
    assert caught.value.offset == len(CONTAINER) - 32
    assert str(caught.value).endswith(f"(byte {len(CONTAINER) - 32})")


def test_message_of_an_error_in_a_frame_names_frame_and_byte() -> None:
    damaged = bytearray(CONTAINER)
    damaged[24 + 10] ^= 1
    outcome = read(bytes(damaged))
    assert isinstance(outcome, errors.CrcMismatch)
    assert str(outcome).endswith("(frame 0, byte 34)")
