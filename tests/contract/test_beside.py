"""Calls beside the caller's thread: one after the other, and none waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from paxect_batch.relay.commits import AtOnce
from paxect_batch.seams import Beside
from paxect_batch.world.beside import OneBeside

WAIT_SECONDS = 30.0


@pytest.fixture(params=[OneBeside, AtOnce], ids=["thread", "at once"])
def beside(request: pytest.FixtureRequest) -> Iterator[Beside]:
    made: Beside = request.param()
    yield made
    made.stop()


def test_calls_are_made_in_their_order_and_one_at_a_time(beside: Beside) -> None:
    begun: list[int] = []
    ended: list[int] = []

    def call(number: int) -> int:
        assert begun == ended
        begun.append(number)
        ended.append(number)
        return number

    futures = [beside.submit(lambda n=number: call(n)) for number in range(100)]
    assert [each.result(WAIT_SECONDS) for each in futures] == list(range(100))
    assert ended == list(range(100))


def test_call_that_fails_tells_who_waits_for_it_and_keeps_none_from_the_next(
    beside: Beside,
) -> None:
    def fail() -> None:
        raise OSError(5, "broken")

    failed, done = beside.submit(fail), beside.submit(lambda: "done")
    assert isinstance(failed.exception(WAIT_SECONDS), OSError)
    assert done.result(WAIT_SECONDS) == "done"


def test_wait_ends_with_the_first_that_is_done(beside: Beside) -> None:
    never: Future[object] = Future()
    done = beside.submit(lambda: None)
    beside.wait({never, done}, WAIT_SECONDS)
    assert done.done()


def test_caller_goes_on_while_a_call_hangs() -> None:
    beside, free = OneBeside(), threading.Event()
    hangs = beside.submit(lambda: free.wait(WAIT_SECONDS))
    beside.wait({hangs}, 0.01)
    assert not hangs.done()
    free.set()
    assert hangs.result(WAIT_SECONDS) is True
    beside.stop()


def test_thread_ends_once_all_calls_were_made() -> None:
    beside = OneBeside()
    called_in = beside.submit(threading.current_thread)
    beside.stop()
    thread = called_in.result(WAIT_SECONDS)
    assert isinstance(thread, threading.Thread)
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
