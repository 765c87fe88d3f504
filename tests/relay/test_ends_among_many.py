"""Ends that come while items which were looked at together are taken in turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from relay_bench import Bench, InThread, SteppedClock

from paxect_batch.model.items import Mode
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay import gather
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
