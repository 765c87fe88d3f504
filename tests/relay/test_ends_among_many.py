"""Ends that come while items which were looked at together are taken in turn."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from relay_bench import Bench, InThread, SteppedClock, StopAfter

from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Item, Mode
from paxect_batch.model.run import Decision
from paxect_batch.model.transfer import Intent, Lot, Outcome, Task
from paxect_batch.relay import commit, gather
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.taking import Taken, Taker
from paxect_batch.rules import plan
from paxect_batch.seams import Share

FILES = 40
HOUR = 3600.0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class AnHourEach(InThread):
    """An executor for which each lot takes an hour."""

    def __init__(self, share: Share, clock: SteppedClock) -> None:
        super().__init__(share)
        self._clock = clock
        self.begun: list[float] = []

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        self.begun.append(self._clock.seconds)
        future = super().submit(lot)
        self._clock.seconds += HOUR
        return future


class StopWhen:
    """Asks to stop once it holds."""

    now = False

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds

    @property
    def requested(self) -> bool:
        return self._holds()


@pytest.mark.parametrize("how", ["deadline", "stop"])
def test_file_is_not_begun_after_the_end_because_it_was_looked_at_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for module in (plan, gather):
        monkeypatch.setattr(module, "LOT_BYTES_MAX", 1000)
    for number in range(FILES):
        bench.drop(f"large-{number:02}", bytes(1000))
    clock = SteppedClock()
    executor = AnHourEach(bench.share(), clock)
    end = 1.5 * HOUR
    if how == "deadline":
        standing = bench.drain(
            clock=clock,
            executor=executor,
            workers=1,
            mode=Mode.ENCODE,
            deadline_seconds=end,
        )
    else:
        standing = bench.drain(
            clock=clock,
            executor=executor,
            workers=1,
            mode=Mode.ENCODE,
            stop=StopWhen(lambda: clock.seconds > end),
        )
    assert executor.begun
    assert [seconds for seconds in executor.begun if seconds > end] == []
    # What was looked at with them counts as waiting.
    assert standing.seen_files > len(executor.begun) >= standing.delivered_files


def test_claims_are_given_back_where_the_share_fails_after_they_were_had(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch kept them as long as it ran, and took what they stand for never again."""
    for number in range(16):
        bench.drop(f"file-{number:02}", b"%d" % number)
    fails = [True]
    rests = Taker._rests

    def fail_once(self: Taker, had: Taken) -> bool:
        if had.item.source.name == "file-07" and fails:
            fails.clear()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rests(self, had)

    monkeypatch.setattr(Taker, "_rests", fail_once)
    standing = bench.drain(
        locks=FakeLocks(Register()),
        watch=True,
        stop=StopAfter(600),
        clock=SteppedClock(),
        poll_seconds=1.0,
    )
    assert not fails
    assert standing.delivered_files == 16
    bench.check_delivered_once()


def test_claims_are_given_back_where_the_share_fails_as_containers_are_gone_on_with(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(16):
        bench.drop(f"file-{number:02}", b"%d" % number)
    decided = 0
    decide = Admitter.decide

    def fail_once(self: Admitter, item: Item, *, own: bool = False) -> Decision:
        nonlocal decided
        decided += own
        if own and decided == 8:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return decide(self, item, own=own)

    monkeypatch.setattr(Admitter, "decide", fail_once)
    standing = bench.drain(
        locks=FakeLocks(Register()),
        watch=True,
        stop=StopAfter(3000),
        clock=SteppedClock(),
        poll_seconds=1.0,
    )
    assert decided >= 8
    assert standing.delivered_files == 16
    bench.check_delivered_once()


def test_item_that_was_blocked_counts_once_where_the_commit_of_others_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("blocked", "other"):
        bench.drop(name, name.encode())

    def reason(_self: Admitter, task: Task, _outcome: Outcome) -> str:
        return "untrusted" if task.source.name == "blocked" else ""

    def fail(_share: Share, _intent: Intent) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Admitter, "reason_once_read", reason)
    monkeypatch.setattr(commit, "write_intent", fail)
    node = bench.node(mode=Mode.ENCODE)
    with pytest.raises(ShareError):
        node.run()
    assert (node.standing.seen_files, node.standing.blocked_files) == (2, 1)
