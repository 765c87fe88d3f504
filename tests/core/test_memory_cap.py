"""The input cap: 512 MiB in memory, none for streams, both as the environment says."""

import contextlib
import io

import pytest
from samples import Endless, noise

import paxect_core
from paxect_core import cap, errors

MIB = 1 << 20


class Discarding:
    def write(self, data: bytes | memoryview, /) -> int:
        return len(data)


def test_cap_without_variable_is_512_mib_in_memory_and_none_for_streams() -> None:
    assert cap.memory_bytes_max({}) == 512 * MIB
    assert cap.stream_bytes_max({}) is None


def test_cap_with_variable_holds_for_both() -> None:
    environ = {"PAXECT_MAX_INPUT_MB": "8192"}
    assert cap.memory_bytes_max(environ) == 8192 * MIB
    assert cap.stream_bytes_max(environ) == 8192 * MIB


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "1G", "lots"])
def test_cap_when_not_a_number_of_mib_is_a_usage_error(text: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        cap.stream_bytes_max({"PAXECT_MAX_INPUT_MB": text})
    assert "PAXECT_MAX_INPUT_MB" in caught.value.message


def test_in_memory_calls_follow_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "1")
    at_cap = noise(MIB)
    container = paxect_core.encode_bytes(at_cap)
    # Larger than the cap by its headers; what counts is what comes out.
    assert len(container) > MIB
    assert paxect_core.decode_bytes(container) == at_cap
    with pytest.raises(errors.InputTooLarge):
        paxect_core.encode_bytes(at_cap + b"x")
    monkeypatch.delenv("PAXECT_MAX_INPUT_MB")
    over = paxect_core.encode_bytes(at_cap + b"x")
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "1")
    with pytest.raises(errors.InputTooLarge):
        paxect_core.decode_bytes(over)


def test_in_memory_calls_when_given_a_cap_follow_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "1")
    data = bytes(2 * MIB)
    container = paxect_core.encode_bytes(data, input_bytes_max=2 * MIB)
    assert paxect_core.decode_bytes(container, input_bytes_max=2 * MIB) == data
    with pytest.raises(errors.InputTooLarge):
        paxect_core.decode_bytes(container, input_bytes_max=2 * MIB - 1)


def test_in_memory_cap_of_nothing_takes_nothing_else() -> None:
    container = paxect_core.encode_bytes(b"", input_bytes_max=0)
    assert paxect_core.decode_bytes(container, input_bytes_max=0) == b""
    with pytest.raises(errors.InputTooLarge):
        paxect_core.encode_bytes(b"x", input_bytes_max=0)


def test_small_container_of_much_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = paxect_core.encode_bytes(bytes(8 * MIB))
    assert len(container) < 4096
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "4")
    with pytest.raises(errors.InputTooLarge):
        paxect_core.decode_bytes(container)


def test_streams_have_no_cap_though_the_variable_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The library takes its cap as an argument; the command reads the variable.
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "1")
    result = paxect_core.encode(
        Endless(3 * MIB, bytes(MIB)), Discarding(), paxect_core.Settings(level=1)
    )
    assert result.raw_bytes == 3 * MIB


@pytest.mark.parametrize("threads", [1, 3])
def test_streams_when_given_a_cap_take_exactly_that_much(threads: int) -> None:
    settings = paxect_core.Settings(frame_bytes=100)
    data = noise(1000)
    container = io.BytesIO()
    paxect_core.encode(
        io.BytesIO(data), container, settings, threads=threads, input_bytes_max=1000
    )
    with pytest.raises(errors.InputTooLarge) as encoding:
        paxect_core.encode(
            io.BytesIO(data), Discarding(), settings, input_bytes_max=999
        )
    for limit, expected in ((1000, data), (999, data[:900])):
        sink = io.BytesIO()
        container.seek(0)
        with contextlib.ExitStack() as stack:
            if limit < 1000:
                stack.enter_context(pytest.raises(errors.InputTooLarge))
            paxect_core.decode(container, sink, threads=threads, input_bytes_max=limit)
        assert sink.getvalue() == expected
    assert encoding.value.exit_code == 3
