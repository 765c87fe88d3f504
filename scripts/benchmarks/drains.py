"""Shares for a benchmark, drained by the installed command in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import workplace

WORKERS = 2
LEVEL = 5
_POLICY = f'version = "2"\nsettle_seconds = 0\nlevel = {LEVEL}\n'
_LOOK_SECONDS = 0.25


class Drains:
    """Makes one share after the other in a folder, and drains it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._made = 0
        self.folder = place
        """The share that was made last."""
        self.memory_mib = 0.0
        """The most that the processes of a drain held together, as far as seen."""
        self.env = workplace.environment(None)
        installed = Path(sys.executable).with_name("paxect-batch")
        self._command: tuple[str | Path, ...] = (installed,)
        if not installed.exists():
            self._command = (sys.executable, "-m", "paxect_batch")
            checkout = Path(__file__).parents[2]
            folders = os.pathsep.join((str(checkout), str(checkout / "core")))
            self.env["PYTHONPATH"] = folders

    def share(self) -> Path:
        """Make an empty share; those before stay where they are."""
        self._made += 1
        self.folder = self._place / f"share-{self._made:03}"
        workplace.run(*self._command, "init", self.folder, "--quiet", env=self.env)
        (self.folder / ".paxect" / "policy.toml").write_text(_POLICY)
        return self.folder

    def remove(self) -> None:
        """Remove the share that was made last."""
        shutil.rmtree(self.folder)

    def drain(
        self, direction: str, *, workers: int = WORKERS, before: tuple[str, ...] = ()
    ) -> None:
        """Drain the share to its end, by a command put before it if there is one."""
        words = ("drain", self.folder, "--direction", direction, "--quiet")
        more = ("--workers", str(workers))
        workplace.run(*before, *self._command, *words, *more, env=self.env)

    def watched(self, direction: str, *, more: tuple[str, ...] = ()) -> float:
        """Drain it, and look at its memory; return the seconds of processor it took."""
        began = _children_seconds()
        words = ("drain", self.folder, "--direction", direction, "--quiet")
        process = subprocess.Popen(
            (*self._command, *words, "--workers", str(WORKERS), *more),
            stdout=subprocess.DEVNULL,
            env=self.env,
        )
        looking = threading.Thread(target=self._look, args=(process,))
        looking.start()
        code = process.wait()
        looking.join()
        if code:
            raise subprocess.CalledProcessError(code, process.args)
        return _children_seconds() - began

    def _look(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            held = memory_mib(process.pid)
            self.memory_mib = max(self.memory_mib, held)
            time.sleep(_LOOK_SECONDS)


def memory_mib(pid: int) -> float:
    """Return what a process and those that it started hold; 0 if that is not known.

    What several of them share counts once.
    """
    import psutil

    held = 0
    try:
        first = psutil.Process(pid)
        for each in (first, *first.children(recursive=True)):
            info = each.memory_full_info()
            held += getattr(info, "pss", info.uss)
    except psutil.Error:
        return 0.0
    return held / (1 << 20)


def _children_seconds() -> float:
    found = os.times()
    return found.children_user + found.children_system


def in_turn(
    steps: dict[str, Callable[[], float]], *, rounds: int
) -> dict[str, list[float]]:
    """Take all steps in each round, in reverse order in every second one."""
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        workplace.note(f"round {number + 1} of {rounds}")
        order = list(steps.items())
        for name, step in order if number % 2 == 0 else reversed(order):
            seconds.setdefault(name, []).append(step())
    return seconds
