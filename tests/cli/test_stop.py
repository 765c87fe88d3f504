"""Signals are noted: the first ends a run well, the second at once."""

import os
import signal
import threading

import pytest

from paxect_batch.cli.stop import StopSignal
from paxect_batch.model.errors import Exit


class Timer:
    """Stands in for the timer that ends a hanging process."""

    def __init__(self, seconds: float, act: object, words: tuple[int, ...]) -> None:
        self.made = (seconds, act, words)
        self.daemon = False
        self.started = 0
        Timer.last = self

    last: "Timer | None" = None

    def start(self) -> None:
        self.started += 1


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)],
)
def test_signal_requests_a_stop_and_a_second_one_ends_now(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: Exit
) -> None:
    monkeypatch.setattr(threading, "Timer", Timer)
    with StopSignal() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert (stop.requested, stop.now, stop.exit_code) == (True, False, code)
        signal.raise_signal(signal.SIGTERM)
        assert stop.now
        assert stop.exit_code is code
        signal.raise_signal(signal.SIGTERM)
    assert Timer.last is not None
    assert Timer.last.started == 1
    assert Timer.last.daemon
    assert Timer.last.made[1:] == (os._exit, (int(code),))


def test_second_signal_without_a_thread_to_be_had_ends_no_run_in_its_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with StopSignal() as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    assert stop.now


def test_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGTERM)
            assert not stop.requested
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_hang_up_reopens_the_log_and_stops_nothing() -> None:
    calls: list[int] = []
    with StopSignal() as stop:
        signal.raise_signal(signal.SIGHUP)
        stop.reopen = lambda: calls.append(1)
        signal.raise_signal(signal.SIGHUP)
        assert not stop.requested
    assert calls == [1]
