"""How long a node waits between passes, with a bell and without."""

from __future__ import annotations

import math
from typing import cast

import pytest
from fakes.bell import FakeBell
from fakes.clock import FakeClock
from fakes.small import ListEventLog
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.items import Mode
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.account import Account
from paxect_batch.relay.closing import Closing
from paxect_batch.relay.pacing import Pacer
from paxect_batch.relay.waiting import IDLE_SECONDS_MAX, Waiting

POLL_SECONDS = 10.0
# Parts of a second that a clock, which counts from 1970, can be added to exactly.
seconds = st.integers(0, 800).map(lambda eighths: eighths / 8)


class Stop:
    """Not asked to stop, unless the clock is past a moment."""

    now = False

    def __init__(self, clock: FakeClock, at: float = math.inf) -> None:
        self._clock = clock
        self._at = at

    @property
    def requested(self) -> bool:
        return self._clock.monotonic() >= self._at


class Node:
    """What waits, its clock, and how often it showed life."""

    def __init__(
        self,
        *rings: float,
        has_bell: bool = True,
        stop_at: float = math.inf,
        deadline: float | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.start = self.clock.monotonic()
        self.bell = FakeBell(self.clock, *(self.start + at for at in rings))
        self.lives = 0
        self.waiting = Waiting(
            self.clock,
            closing=Closing(
                self.clock,
                Stop(self.clock, self.start + stop_at),
                RunOptions(node="node1", run="run", deadline_seconds=deadline),
                Account(Mode.RELAY, ListEventLog(), None),
            ),
            pacer=cast(Pacer, None),
            account=cast(Account, None),
            attend=self._attend,
            poll_seconds=POLL_SECONDS,
            bell=self.bell if has_bell else None,
        )

    def _attend(self) -> None:
        self.lives += 1

    def waits(
        self, ready: float = math.inf, *, after: float = 0.0, was_idle: bool = False
    ) -> float:
        self.waiting.for_more(ready, after=after, was_idle=was_idle)
        return self.clock.monotonic() - self.start


def test_looks_again_after_the_poll_interval_whatever_is_ready_without_a_bell() -> None:
    node = Node(has_bell=False)
    assert node.waits(1.0, after=3.0) == pytest.approx(POLL_SECONDS)
    assert node.lives >= POLL_SECONDS


def test_looks_again_when_it_rings_and_shows_life_meanwhile() -> None:
    node = Node(7.0)
    assert node.waits() == pytest.approx(7.0)
    assert node.lives >= 7


def test_looks_again_when_what_waits_may_be_ready() -> None:
    assert Node().waits(1.5) == pytest.approx(1.5)


def test_rests_as_long_as_the_pass_took_before_it_heeds_the_bell() -> None:
    assert Node(0.0, 0.5).waits(0.1, after=2.0) == pytest.approx(2.0)


def test_idle_node_whose_bell_hears_all_spends_half_a_hundredth_of_it() -> None:
    assert Node().waits(after=0.5, was_idle=True) == pytest.approx(100.0)
    assert Node().waits(after=0.03125, was_idle=True) == pytest.approx(POLL_SECONDS)
    assert Node().waits(after=9.0, was_idle=True) == pytest.approx(IDLE_SECONDS_MAX)
    assert Node().waits(3.0, after=0.5, was_idle=True) == pytest.approx(3.0)
    assert Node(20.0).waits(after=0.5, was_idle=True) == pytest.approx(20.0)
    assert Node(has_bell=False).waits(after=0.5, was_idle=True) == POLL_SECONDS


def test_idle_node_whose_bell_does_not_hear_all_looks_at_each_poll() -> None:
    node = Node()
    node.bell.hears_all = False
    assert node.waits(after=0.5, was_idle=True) == pytest.approx(POLL_SECONDS)


def test_stop_ends_the_wait() -> None:
    assert Node(stop_at=1.0).waits() < 1.5
    assert Node(stop_at=1.0, has_bell=False).waits() < 1.5


def test_deadline_ends_the_rest_of_an_idle_node() -> None:
    assert 20.0 <= Node(deadline=20.0).waits(after=0.5, was_idle=True) < 20.5


@given(rings=st.lists(seconds), ready=seconds, after=seconds)
def test_never_waits_longer_than_the_poll_interval_nor_less_than_half_the_time(
    rings: list[float], ready: float, after: float
) -> None:
    waited = Node(*rings).waits(ready, after=after)
    assert waited <= POLL_SECONDS
    assert waited >= min(after, POLL_SECONDS)
