"""A clock that stands still until it is told otherwise."""

from __future__ import annotations

START = 1_800_000_000.0


class FakeClock:
    """`seams.Clock`: sleeping is advancing. `step` is added at each look at it."""

    def __init__(self, *, start: float = START, step: float = 0.0) -> None:
        self.time = start
        self.step = step
        self.slept: list[float] = []

    def now(self) -> float:
        self.time += self.step
        return self.time

    def monotonic(self) -> float:
        # Another zero than `now`, so that nobody confuses them.
        return self.now() - START + 1000.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        assert seconds >= 0
        self.time += seconds
