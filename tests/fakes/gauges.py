"""Gauges that show what a test says."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from paxect_batch.model.pace import Surroundings


class FakeGauges:
    """`seams.Gauges`: `shows` may be changed at any time; `before` is called first."""

    def __init__(
        self, before: Callable[[], None] = lambda: None, **shows: object
    ) -> None:
        self.shows = Surroundings(**shows)
        self.before = before
        self.looks = 0

    def show(self, **shows: object) -> None:
        self.shows = msgspec.structs.replace(self.shows, **shows)

    def read(self) -> Surroundings:
        self.looks += 1
        self.before()
        return self.shows
