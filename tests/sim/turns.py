"""Who moves next: acts that take turns in one thread, by a seed, on a clock of its own.

An act runs until it sleeps, ends, or its turn is over; every operation counts one step
and takes a moment. If nobody can move, the clock jumps to whoever wakes first.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from disk import START
from greenlet import getcurrent, greenlet


class Crash(BaseException):
    """The process ends here: nothing after this happens, cleaning up neither."""


class TooLong(BaseException):
    """The simulation does not come to its end."""


class Process:
    """What dies, freezes and is cut off as one: a node's run, or an actor."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.frozen_until = 0.0
        self.cut_until = 0.0
        self.hangs = False
        """Whether its calls wait while it is cut off, or else fail."""
        self.wall_offset = 0.0
        self.monotonic_offset = 0.0
        self.errors: list[tuple[int, bool]] = []
        """What its next operations raise, and whether they happen all the same."""
        self.listings: dict[int, tuple[float, tuple[tuple[str, bool], ...]]] = {}
        """What it remembers of folders, by their inodes."""


class Act:
    """One thread of a process."""

    def __init__(self, turns: Turns, process: Process, run: Callable[[], None]) -> None:
        self.process = process
        self.is_over = False
        self._run = run
        self.greenlet = greenlet(self._begin, turns.hub)

    def _begin(self) -> None:
        try:
            if not self.process.is_dead:
                self._run()
        except Crash:
            pass
        finally:
            self.is_over = True


class Turns:
    """All acts, and the clock."""

    def __init__(self, dice: random.Random, *, steps_max: int) -> None:
        self.hub = getcurrent()
        self.time = START
        self.steps = 0
        self.step_seconds = 0.001
        self.turn_steps_max = 8
        self.current: Act | None = None
        self.on_step: Callable[[Process, str, str], None] | None = None
        self._steps_max = steps_max
        self._dice = dice
        self._left = 0
        self._ready: list[Act] = []
        self._asleep: list[tuple[float, int, Act]] = []
        self._naps = 0

    @property
    def process(self) -> Process:
        """The process that moves now."""
        assert self.current is not None
        return self.current.process

    def spawn(self, process: Process, run: Callable[[], None]) -> Act:
        """Let something begin."""
        act = Act(self, process, run)
        self._ready.append(act)
        return act

    def step(self, name: str, path: str) -> None:
        """Count an operation; others may move before it happens."""
        act = self.current
        assert act is not None
        process = act.process
        if process.is_dead:
            raise Crash
        self.steps += 1
        self.time += self.step_seconds
        if self.on_step is not None:
            self.on_step(process, name, path)
        self._left -= 1
        if self._left <= 0 or process.frozen_until > self.time or process.is_dead:
            self._ready.append(act)
            self._switch(act)

    def sleep(self, seconds: float) -> None:
        """Let others move for so long."""
        act = self.current
        assert act is not None
        if act.process.is_dead:
            raise Crash
        self._nap(act, self.time + max(seconds, 0.0))
        self._switch(act)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Let acts move until all are over, or it is as told."""
        while not until():
            while self._asleep and self._asleep[0][0] <= self.time:
                self._ready.append(heapq.heappop(self._asleep)[2])
            if not self._ready:
                if not self._asleep:
                    return
                self.time = self._asleep[0][0]
                continue
            if self.steps > self._steps_max:
                raise TooLong
            number = int(self._dice.random() * len(self._ready))
            act = self._ready[number]
            self._ready[number] = self._ready[-1]
            self._ready.pop()
            if act.process.frozen_until > self.time and not act.process.is_dead:
                self._nap(act, act.process.frozen_until)
                continue
            self.current = act
            self._left = 1 + int(self._dice.random() * self.turn_steps_max)
            act.greenlet.switch()
            self.current = None

    def end_all(self) -> None:
        """End whatever still runs, so that nothing is left of it."""
        self.on_step = None
        for act in [*self._ready, *(act for _, _, act in self._asleep)]:
            act.process.is_dead = True
            self.current = act
            if act.greenlet:  # it began
                act.greenlet.throw(Crash)
        self.current = None
        self._ready.clear()
        self._asleep.clear()

    def _nap(self, act: Act, until: float) -> None:
        self._naps += 1
        heapq.heappush(self._asleep, (until, self._naps, act))

    def _switch(self, act: Act) -> None:
        self.hub.switch()
        self.current = act
        if act.process.is_dead:
            raise Crash
