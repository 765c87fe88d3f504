"""A bell that rings when a test says so."""

from __future__ import annotations

from fakes.clock import FakeClock


class FakeBell:
    """`seams.Bell` by a clock: it rings at each of the moments, told once."""

    def __init__(self, clock: FakeClock, *moments: float) -> None:
        self._clock = clock
        self._moments = sorted(moments)
        self.hears_all = True

    def ring(self) -> None:
        """Ring now."""
        self._moments.insert(0, self._clock.monotonic())

    def wait(self, seconds: float) -> bool:
        """See `seams.Bell`."""
        now = self._clock.monotonic()
        until = now + max(seconds, 0.0)
        if not self._moments or self._moments[0] > until:
            self._clock.advance(until - now)
            return False
        self._clock.advance(max(self._moments[0] - now, 0.0))
        while self._moments and self._moments[0] <= self._clock.monotonic():
            del self._moments[0]
        return True
