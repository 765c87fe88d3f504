"""A worker's side of the pool, with pipes of the test's own."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO

import msgspec
import pytest
from test_pool_contract import lot_of

from paxect_batch.cli import worker
from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome, Result
from paxect_batch.world import messages, worker_loop
from paxect_batch.world.messages import (
    Done,
    Greeting,
    Ready,
    Work,
    Working,
    receive,
    send,
)
from paxect_core import CODEC_VERSION


class Coordinator:
    """Pipes to a worker that runs in a thread of this process."""

    def __init__(self) -> None:
        self._there, self.to_worker = _pipe()
        self.from_worker, self._back = _pipe()
        self.codes: list[int] = []
        self.handled: list[Lot] = []
        self.roots: dict[Root, bytes] = {}
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        worker_loop.serve(
            self._there, self._back, self._prepare, leave=self.codes.append
        )

    def _prepare(self, roots: dict[Root, bytes]) -> worker_loop.Handle:
        self.roots = roots

        def handle(lot: Lot, tell: Callable[[int], None]) -> tuple[Outcome, ...]:
            self.handled.append(lot)
            tell(lot.number * 1000)
            return (Outcome(Result.GONE, code=str(lot.number)),)

        return handle

    def greet(self, coordinator: int | None = None) -> None:
        parent = os.getppid() if coordinator is None else coordinator
        send(self.to_worker, Greeting({"state": b"/x\xff"}, parent))

    def left(self) -> list[int]:
        """Wait for the worker's end and return the codes it left with."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.codes

    def end(self) -> None:
        self.to_worker.close()
        self._thread.join(60)
        self._there.close()
        self.from_worker.close()
        with contextlib.suppress(BrokenPipeError):
            self._back.close()


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")


@pytest.fixture(autouse=True)
def _outlive_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    # This process is no worker: the call is made with an option that only asks.
    monkeypatch.setattr(worker_loop, "_PR_SET_PDEATHSIG", 3)  # PR_GET_DUMPABLE


@pytest.fixture
def coordinator() -> Iterator[Coordinator]:
    made = Coordinator()
    yield made
    made.end()


def test_worker_without_a_thread_says_why_in_a_line_and_is_never_ready(
    coordinator: Coordinator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    coordinator.greet()
    assert coordinator.left() == [worker_loop.EXIT_NO_THREAD]
    assert "no thread be started for a worker" in capsys.readouterr().err
    coordinator._back.close()
    assert receive(coordinator.from_worker, messages.from_worker) is None


def test_worker_is_ready_does_lots_and_leaves_with_its_coordinator(
    coordinator: Coordinator,
) -> None:
    coordinator.greet()
    assert receive(coordinator.from_worker, messages.from_worker) == Ready(
        CODEC_VERSION
    )
    assert coordinator.roots == {Root.STATE: b"/x\xff"}
    for number in (7, 8):
        send(coordinator.to_worker, Work(lot_of(number, "what")))
        told = receive(coordinator.from_worker, messages.from_worker)
        assert told == Working(number * 1000)
        done = receive(coordinator.from_worker, messages.from_worker)
        assert done == Done(number, (Outcome(Result.GONE, code=str(number)),))
    assert coordinator.handled == [lot_of(7, "what"), lot_of(8, "what")]
    coordinator.to_worker.close()
    assert coordinator.left() == [worker_loop.EXIT_COORDINATOR_GONE]


def test_worker_whose_coordinator_went_before_the_greeting_leaves(
    coordinator: Coordinator,
) -> None:
    coordinator.to_worker.close()
    assert coordinator.left() == [worker_loop.EXIT_COORDINATOR_GONE]


def test_worker_that_is_not_greeted_first_leaves(coordinator: Coordinator) -> None:
    send(coordinator.to_worker, Work(lot_of(1, "what")))
    assert coordinator.left() == [worker_loop.EXIT_BAD_MESSAGE]


def test_worker_of_another_parent_leaves(coordinator: Coordinator) -> None:
    if sys.platform != "linux":
        pytest.skip("looked at on Linux only")
    coordinator.greet(coordinator=1 << 22)
    assert coordinator.left() == [worker_loop.EXIT_COORDINATOR_GONE]


def test_parents_are_not_asked_for_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_loop.sys, "platform", "darwin")
    assert worker_loop._dies_with(1 << 22)


def test_worker_that_is_sent_garbage_leaves(coordinator: Coordinator) -> None:
    coordinator.greet()
    assert receive(coordinator.from_worker, messages.from_worker) == Ready(
        CODEC_VERSION
    )
    send(coordinator.to_worker, Greeting({}, 1))
    coordinator.to_worker.write(b"\x04\x00\x00\x00junk")
    coordinator.to_worker.flush()
    assert coordinator.left() == [worker_loop.EXIT_BAD_MESSAGE]


def test_worker_that_cannot_answer_leaves(coordinator: Coordinator) -> None:
    coordinator.greet()
    assert receive(coordinator.from_worker, messages.from_worker) == Ready(
        CODEC_VERSION
    )
    coordinator.from_worker.close()
    send(coordinator.to_worker, Work(lot_of(1, "what")))
    # Telling how far it has come, or what became of the lot.
    assert set(coordinator.left()) == {worker_loop.EXIT_COORDINATOR_GONE}


# -- the process around it


def test_pipes_are_taken_and_standard_streams_are_harmless() -> None:
    code = (
        "import os, sys\n"
        "from paxect_batch.world.worker_loop import ignore_signals, take_pipes\n"
        "ignore_signals()\n"
        "given, output = take_pipes()\n"
        "print('noise', os.read(0, 10))\n"
        "sys.stdout.flush()\n"
        "output.write(given.read())\n"
        "output.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"message", capture_output=True, check=True
    )
    assert done.stdout == b"message"
    assert done.stderr.split() == [b"noise", b"b''"]


def test_relays_worker_handles_lots_on_the_share_it_is_told_of(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Those of whoever runs the tests would be taken for its own.
    monkeypatch.setattr(sys, "argv", ["worker"])
    handle = worker._prepare({root: os.fsencode(str(tmp_path)) for root in Root})
    (outcome,) = handle(lot_of(1, "absent", "stage"))
    assert outcome.result is Result.GONE


# -- messages


def test_message_that_is_cut_off_is_the_end() -> None:
    whole = io.BytesIO()
    send(whole, Ready(CODEC_VERSION))
    for size in range(len(whole.getvalue())):
        cut = io.BytesIO(whole.getvalue()[:size])
        assert receive(cut, messages.from_worker) is None


def test_message_that_claims_to_be_huge_is_not_read() -> None:
    prefix = struct.pack("<I", messages.MESSAGE_BYTES_MAX + 1)
    with pytest.raises(msgspec.DecodeError):
        receive(io.BytesIO(prefix), messages.from_worker)


def test_message_that_is_huge_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MESSAGE_BYTES_MAX", 10)
    stream = io.BytesIO()
    with pytest.raises(ValueError, match="too large"):
        send(stream, Greeting({"state": b"a long path"}, 1))
    assert stream.getvalue() == b""
