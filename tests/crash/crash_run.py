"""Crash at every change that a transfer makes to its share, and look what comes of it.

    python tests/crash/crash_run.py                      # all of it; writes RESULTS.md
    python tests/crash/crash_run.py --way states --scenario lot
    python tests/crash/crash_run.py --short              # what every check does

docs/crash.md says what is tried. Cutting power needs root and loop devices; where they
are missing that is said, and the rest is done.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_PATHS = (_HERE, _HERE.parent / "system", _ROOT, _ROOT / "core")
sys.path[:0] = [str(path) for path in _PATHS]

from crash_mistakes import MISTAKES  # noqa: E402
from crash_nodes import Nodes  # noqa: E402
from crash_power import release, why_not  # noqa: E402
from crash_results import Results  # noqa: E402
from crash_rounds import Extent, Rounds, Tried  # noqa: E402
from crash_scenarios import SCENARIOS, prepare  # noqa: E402
from relayed_share import memory_folder  # noqa: E402

WAYS: dict[str, Callable[[Rounds], Tried]] = {
    "states": Rounds.in_any_state,
    "killed": Rounds.killed,
    "power": Rounds.without_power,
}
MISTAKEN = "archive"
"""The scenario in which mistakes are made: one file, and all steps."""

_MISTAKE_EXTENT = Extent(stops_at_first=True, every=3, seconds_max=60)
"""How far to look for one by cutting power, which hides many: ext4 keeps more."""

SHORT = {
    "states": Extent(every=23, all_up_to=4, some=4),
    "killed": Extent(every=47),
    "power": Extent(every=61),
}
SHORT_SCENARIO = "lot"
SHORT_MISTAKES = (
    "skip the sync of files",
    "skip the sync of folders",
    "retire before recording",
)


def main() -> int:
    """Do as the words say; 0 if nothing was found but mistakes that were made."""
    words = _words()
    # Whoever ends this leaves no file system mounted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scratch = Path(tempfile.mkdtemp(prefix="paxect-crash-", dir=memory_folder()))
    results = Results(" ".join(sys.argv[1:]))
    try:
        for line in _all(words, scratch, results):
            print(line, flush=True)
            if words.write:
                (_HERE / "RESULTS.md").write_text(results.page(), encoding="utf-8")
    finally:
        release(scratch)
        shutil.rmtree(scratch, ignore_errors=True)
    for text in results.findings:
        print(text)
    return 1 if results.findings else 0


@dataclass(frozen=True)
class Task:
    """Crashes in one way with one scenario, of a node that may make a mistake."""

    way: str
    scenario: str
    extent: Extent
    mistake: str = ""


def _all(words: argparse.Namespace, scratch: Path, results: Results) -> Iterator[str]:
    tasks = list(_tasks(words))
    if any(task.way == "power" for task in tasks) and (reason := why_not()):
        results.note(f"Power was not cut: {reason}.")
        yield f"POWER WAS NOT CUT: {reason}"
        tasks = [task for task in tasks if task.way != "power"]
    for task, tried in _each(tasks, scratch, words.jobs):
        if task.mistake:
            yield results.add_mistake(task.mistake, tried)
        else:
            yield results.add(tried)


def _each(tasks: list[Task], scratch: Path, jobs: int) -> Iterator[tuple[Task, Tried]]:
    # Forked before this process has threads, which a fork would lose. One that dies, as
    # it does when a run hangs, ends all.
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("fork"),
        initializer=_begin,
        initargs=(scratch,),
    )
    with pool:
        try:
            yield from pool.map(_done, tasks)
        except BaseException:
            # Else what each is at would be waited for.
            for process in multiprocessing.active_children():
                process.kill()
            raise


_nodes: Nodes
_scratch: Path


def _begin(scratch: Path) -> None:
    global _nodes, _scratch  # one of each for each process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _scratch = scratch / str(os.getpid())
    _scratch.mkdir()
    _nodes = Nodes(_scratch)
    warm = prepare(SCENARIOS["lot"], _scratch / "warm", _nodes, _scratch)
    _nodes.warm(warm.words("warm"))


def _done(task: Task) -> tuple[Task, Tried]:
    mistake = MISTAKES[task.mistake] if task.mistake else None
    scenario = SCENARIOS[task.scenario]
    rounds = Rounds(scenario, _nodes, _scratch, task.extent, mistake=mistake)
    return task, WAYS[task.way](rounds)


def _tasks(words: argparse.Namespace) -> Iterator[Task]:
    for way, scenario in _rows(words):
        whole = Extent(some=words.states, seconds_max=words.seconds)
        yield Task(way, scenario, SHORT[way] if words.short else whole)
    if "mistakes" in words.way:
        for name in SHORT_MISTAKES if words.short else MISTAKES:
            some = Extent(stops_at_first=True, some=16, points_max=60)
            yield Task("states", MISTAKEN, some, name)
            if not words.short:
                yield Task("power", MISTAKEN, _MISTAKE_EXTENT, name)


def _rows(words: argparse.Namespace) -> Iterator[tuple[str, str]]:
    for way in (each for each in WAYS if each in words.way):
        for scenario in words.scenario or _SCENARIOS[words.short, way == "states"]:
            yield way, scenario


_SCENARIOS = {
    (True, True): [SHORT_SCENARIO],
    (True, False): [SHORT_SCENARIO],
    (False, True): list(SCENARIOS),
    # Where sources are archived, processes do no more than where they are removed.
    (False, False): [name for name in SCENARIOS if name != "archive"],
}


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = ["mistakes", *WAYS]
    parser.add_argument("--way", action="append", choices=ways)
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS))
    parser.add_argument("--short", action="store_true", help="a part of each way")
    parser.add_argument(
        "--states", type=int, default=24, help="states of a point that has many more"
    )
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="for each way and transfer"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="processes that crash at once"
    )
    words = parser.parse_args()
    # A part of it does not make the page.
    words.write = not (words.way or words.scenario or words.short)
    words.way = words.way or ways
    return words


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(code)
