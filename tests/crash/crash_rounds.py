"""The three ways to crash: killed, without power, and in every state that may be left.

Each gives what it tried. A crash is followed by a drain of another node, of which
`crash_scenarios.recover` tells whether all is as it must be. Before it, by turns, a
consumer takes what has arrived, or not.
"""

from __future__ import annotations

import contextlib
import math
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash_calls import Calls
from crash_changes import Call, Point, When, Who
from crash_nodes import Nodes
from crash_power import Disk
from crash_scenarios import Look, Prepared, Scenario, prepare, recover
from crash_states import Choices

SEED = 1


@dataclass
class Tried:
    """What was tried in one way with one scenario, and what was found."""

    way: str
    scenario: str
    changes: int = 0
    """Changes that the run makes."""
    points: int = 0
    """Those at which it crashed, or after which its states were made."""
    left: int = 0
    """Crashes, or moments, for which there was no time."""
    tries: int = 0
    """Crashes, or states."""
    possible: int = 0
    """States that there are, those that were not made included; some are equal."""
    whole: int = 0
    """Points of which each state was made."""
    missed: int = 0
    """Crashes that never came: the run was over before."""
    probes: int = 0
    returns: int = 0
    """Tries after which a crumb waited for its own node to run again."""
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def add(self, at: str, look: Look) -> None:
        """Count one try."""
        self.tries += 1
        self.probes += look.probes
        self.returns += look.returns
        self.findings += [f"{at}: {text}" for text in look.findings]


@dataclass(frozen=True)
class Extent:
    """How much is tried."""

    every: int = 1
    """Every so many changes."""
    all_up_to: int = 64
    """All states of a point, if there are no more."""
    some: int = 24
    """So many states otherwise."""
    points_max: int = 1000
    seconds_max: float = math.inf
    """Those that time does not suffice for are left out, by a seed."""
    stops_at_first: bool = False
    """Whether one finding is enough."""


class Rounds:
    """Crashes of one scenario."""

    def __init__(
        self,
        scenario: Scenario,
        nodes: Nodes,
        scratch: Path,
        extent: Extent,
        *,
        mistake: Callable[[], None] | None = None,
    ) -> None:
        self._scenario = scenario
        self._nodes = nodes
        self._scratch = scratch
        self._extent = extent
        self._mistake = mistake
        self._seen: set[bytes] = set()
        """Signatures of the states that were made."""

    def killed(self) -> Tried:
        """Kill at each change, before and after it, and in the middle of writes."""
        with self._trying("killed") as tried, self._room() as room:
            first = prepare(self._scenario, room / "first", self._nodes, self._scratch)
            inodes: dict[int, int] = {}
            counted = first.at(_copied(first.share.folder, room / "count", inodes))
            calls = self._made(counted, inodes)
            for number, point in self._points(calls, tried):
                folder = room / "share"
                inodes.clear()
                _copied(first.share.folder, folder, inodes)
                prepared = first.at(folder)
                self._crash(prepared, point, tried, inodes)
                look = recover(
                    prepared, self._nodes, takes_first=number % 2 == 1, inodes=inodes
                )
                tried.add(_at(point, calls), look)
                shutil.rmtree(folder)
        return tried

    def without_power(self) -> Tried:
        """Cut the power of the file system at each change."""
        with self._trying("without power") as tried, self._room() as room:
            disk = Disk(room / "image", room / "disk")
            try:
                self._cut_power(disk, tried)
            finally:
                disk.remove()
        return tried

    def _cut_power(self, disk: Disk, tried: Tried) -> None:
        ground = disk.folder / "first"
        first = prepare(self._scenario, ground, self._nodes, self._scratch)
        inodes: dict[int, int] = {}
        calls = self._made(first.at(_copied(ground, disk.folder / "n", inodes)), inodes)
        for number, point in self._points(calls, tried, Who.POWER):
            inodes.clear()
            prepared = first.at(_copied(ground, disk.folder / "share", inodes))
            disk.make_durable()
            self._crash(prepared, point, tried, inodes)
            disk.begin_again()
            look = recover(
                prepared, self._nodes, takes_first=number % 2 == 1, inodes=inodes
            )
            tried.add(_at(point, calls), look)
            shutil.rmtree(prepared.share.folder)

    def in_any_state(self) -> Tried:
        """Make the states that a crash after each change may leave."""
        with self._trying("any state") as tried, self._room() as room:
            first = prepare(self._scenario, room / "first", self._nodes, self._scratch)
            history = first.history
            calls = self._made(first)
            dice = random.Random(f"{SEED}/{self._scenario.name}")
            moments: list[tuple[Call, Choices]] = []
            for call in calls:
                history.play(call)
                moments.append((call, history.choices()))
            tried.changes = len(calls)
            tried.kinds = Counter(call.kind for call in calls)
            tried.possible = sum(choices.count for _, choices in moments)
            ordered = self._ordered(moments, dice)
            for number, (call, choices) in enumerate(ordered):
                if self._is_enough(tried):
                    tried.left = len(ordered) - number
                    break
                tried.points += 1
                tried.whole += choices.count <= self._extent.all_up_to
                self._try_states(call, choices, first.at(room / "state"), tried, dice)
        return tried

    def _try_states(
        self,
        call: Call,
        choices: Choices,
        prepared: Prepared,
        tried: Tried,
        dice: random.Random,
    ) -> None:
        for state in choices.states(
            dice, all_up_to=self._extent.all_up_to, some=self._extent.some
        ):
            signature = state.signature
            if signature in self._seen:
                continue
            self._seen.add(signature)
            inodes = state.lay_down(prepared.share.folder)
            look = recover(
                prepared,
                self._nodes,
                takes_first=signature[0] % 2 == 1,
                inodes=inodes,
            )
            shutil.rmtree(prepared.share.folder)
            at = f"state {len(self._seen)} after {call.number} {call.kind}"
            tried.add(f"{at} {call.told}", look)
            if self._is_enough(tried):
                return

    def _ordered(
        self, moments: list[tuple[Call, Choices]], dice: random.Random
    ) -> list[tuple[Call, Choices]]:
        if not self._extent.stops_at_first:
            some = moments[:: self._extent.every]
            dice.shuffle(some)
            return some
        # Mistakes show where names that last have just changed, and at the end.
        dice.shuffle(rest := moments[:-1])
        rest.sort(key=lambda each: each[0].kind != "rename" or ".tmp" in each[0].told)
        return [moments[-1], *rest][: self._extent.points_max]

    def _is_enough(self, tried: Tried) -> bool:
        if time.monotonic() - tried.began >= self._extent.seconds_max:
            return True
        return self._extent.stops_at_first and bool(tried.findings)

    def _made(
        self, prepared: Prepared, inodes: dict[int, int] | None = None
    ) -> list[Call]:
        """Let the run go to its end; return the changes that it made."""
        calls = Calls(prepared.share.folder, self._scratch)
        words = prepared.words(self._scenario.node)
        run = self._nodes.run(words, calls=calls, mistake=self._mistake, inodes=inodes)
        made = calls.made()
        calls.close()
        assert run.code == 0, run.err
        return made

    def _points(
        self, calls: Sequence[Call], tried: Tried, who: Who | None = None
    ) -> Iterator[tuple[int, Point]]:
        """Give the points, until it is enough; in no order, but each time the same."""
        points = list(self._all_points(calls[:: self._extent.every], who))
        random.Random(f"{SEED}/{self._scenario.name}").shuffle(points)
        tried.changes = len(calls)
        tried.kinds = Counter(call.kind for call in calls)
        at: set[int] = set()
        for number, point in enumerate(points):
            if self._is_enough(tried):
                tried.left = len(points) - number
                return
            at.add(point.number)
            tried.points = len(at)
            yield number, point

    def _all_points(self, calls: Sequence[Call], who: Who | None) -> Iterator[Point]:
        """Give the points; before a change is after the one before it, and given once.

        It is given twice where the one that would die is another process.
        """
        role = ""
        for call in calls:
            whens = [When.AFTER]
            if call.kind == "write":
                whens.insert(0, When.HALF)
            if role != call.role or self._extent.every > 1:
                whens.insert(0, When.BEFORE)
            role = call.role
            for when in whens:
                yield Point(call.number, when, who or Who.PROCESS)
                if who is None and call.role == "worker":
                    yield Point(call.number, when, Who.MACHINE)

    def _crash(
        self,
        prepared: Prepared,
        point: Point,
        tried: Tried,
        inodes: dict[int, int] | None = None,
    ) -> None:
        calls = Calls(prepared.share.folder, self._scratch, point=point)
        run = self._nodes.run(
            prepared.words(self._scenario.node),
            calls=calls,
            mistake=self._mistake,
            inodes=inodes,
        )
        role = next((c.role for c in calls.made() if c.number == point.number), "")
        came = calls.count > point.number
        calls.close()
        tried.missed += not came
        if came and point.who is Who.PROCESS and run.code == 0:
            # A worker died alone, and its coordinator went on.
            return
        if came and run.code >= 0:
            tried.findings.append(
                f"{point} of {role}: ended with {run.code}: {run.err}"
            )

    @contextlib.contextmanager
    def _trying(self, way: str) -> Iterator[Tried]:
        tried = Tried(way, self._scenario.name)
        try:
            yield tried
        finally:
            tried.seconds = time.monotonic() - tried.began

    @contextlib.contextmanager
    def _room(self) -> Iterator[Path]:
        room = self._scratch / "room"
        room.mkdir()
        try:
            yield room
        finally:
            shutil.rmtree(room)


def _copied(folder: Path, copy: Path, inodes: dict[int, int]) -> Path:
    shutil.copytree(folder, copy)
    for path in folder.rglob("*"):
        mine = copy / path.relative_to(folder)
        inodes[mine.stat().st_ino] = path.stat().st_ino
    return copy


def _at(point: Point, calls: Sequence[Call]) -> str:
    told = next((f"{c.kind} {c.told}" for c in calls if c.number == point.number), "")
    return f"{point.who} {point.when} {point.number} {told}"
