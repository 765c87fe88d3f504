"""The three ways to crash: killed, without power, and in every state that may be left.

Each gives what it tried. A crash is followed by a drain of another node, of which
`crash_scenarios.recover` tells whether all is as it must be. Before it, by turns, a
consumer takes what has arrived, or not.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash_calls import Call, Calls, Point, When, Who
from crash_nodes import Nodes
from crash_power import Disk
from crash_scenarios import Look, Prepared, Scenario, prepare, recover
from crash_states import Choices, History, State

SEED = 1


@dataclass
class Tried:
    """What was tried in one way with one scenario, and what was found."""

    way: str
    scenario: str
    points: int = 0
    """Changes at which it crashed, or after which its states were made."""
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

    def killed(self) -> Tried:
        """Kill at each change, before and after it, and in the middle of writes."""
        with self._trying("killed") as tried, self._room() as room:
            first = prepare(self._scenario, room / "first", self._nodes, self._scratch)
            inodes: dict[int, int] = {}
            counted = first.at(_copied(first.share.folder, room / "count", inodes))
            calls = self._made(counted, inodes)
            for number, point in enumerate(self._points(calls, tried)):
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
                if self._is_enough(tried):
                    break
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
        for number, point in enumerate(self._points(calls, tried, Who.POWER)):
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
            if self._is_enough(tried):
                break

    def in_any_state(self) -> Tried:
        """Make the states that a crash after each change may leave."""
        with self._trying("any state") as tried, self._room() as room:
            first = prepare(self._scenario, room / "first", self._nodes, self._scratch)
            history = History(first.share.folder)
            calls = self._made(first)
            dice = random.Random(f"{SEED}/{self._scenario.name}")
            seen: set[bytes] = set()
            moments: list[tuple[Call, Choices]] = []
            for call in calls:
                history.play(call)
                tried.kinds[call.kind] += 1
                choices = history.choices()
                tried.points += 1
                tried.possible += choices.count
                tried.whole += choices.count <= self._extent.all_up_to
                moments.append((call, choices))
            for call, choices in self._ordered(moments, dice):
                states = choices.states(
                    dice, all_up_to=self._extent.all_up_to, some=self._extent.some
                )
                for state in states:
                    signature = state.signature
                    if signature in seen:
                        continue
                    seen.add(signature)
                    at = f"state {len(seen)} after {call.number} {call.kind}"
                    look = self._look_at(state, first.at(room / "state"))
                    tried.add(f"{at} {call.told}", look)
                    if self._is_enough(tried):
                        return tried
        return tried

    def _look_at(self, state: State, prepared: Prepared) -> Look:
        inodes = state.lay_down(prepared.share.folder)
        takes_first = state.signature[0] % 2 == 1
        look = recover(prepared, self._nodes, takes_first=takes_first, inodes=inodes)
        shutil.rmtree(prepared.share.folder)
        return look

    def _ordered(
        self, moments: list[tuple[Call, Choices]], dice: random.Random
    ) -> list[tuple[Call, Choices]]:
        if not self._extent.stops_at_first:
            return moments[:: self._extent.every]
        # Mistakes show where names that last have just changed, and at the end.
        dice.shuffle(rest := moments[:-1])
        rest.sort(key=lambda each: each[0].kind != "rename" or ".tmp" in each[0].told)
        return [moments[-1], *rest][: self._extent.points_max]

    def _is_enough(self, tried: Tried) -> bool:
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
    ) -> Iterator[Point]:
        """Give the points; before a change is after the one before it, and given once.

        It is given twice where the one that would die is another process.
        """
        role = ""
        for call in calls[:: self._extent.every]:
            tried.points += 1
            tried.kinds[call.kind] += 1
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
        began = time.monotonic()
        try:
            yield tried
        finally:
            tried.seconds = time.monotonic() - began

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
