"""`paxect-batch drain` where every operation of the share takes a millisecond more."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks import workplace
from benchmarks.drains import WORKERS, Drains, in_turn
from benchmarks.report import Case, Report
from benchmarks.small_files import BYTES_TYPICAL, write_small_files

SUMMARY = "the relay on a share that answers late, beside itself on a local disk"

_DRAIN = "paxect-batch drain SHARE --direction encode --workers 2"
_BLOCKS_BYTES = 8192


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files", type=int, default=10_000, help="how many files (default 10000)"
    )
    parser.add_argument(
        "--late", type=float, default=1.0, help="milliseconds each (default 1)"
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure the one case."""
    report = Report(machine=workplace.machine(), notes=[])
    copies = 1 + 2 * arguments.rounds
    needed = copies * arguments.files * (BYTES_TYPICAL + _BLOCKS_BYTES)
    with workplace.disk_folder(arguments.dir, bytes_needed=needed) as place:
        contest = _Contest(place, arguments.files)
        seconds = in_turn(
            {
                "late": lambda: contest.drain(arguments.late / 1000),
                "local": lambda: contest.drain(0.0),
            },
            rounds=arguments.rounds,
        )
        report.notes.append(
            f"{arguments.rounds} rounds in {place.parent}; {arguments.files} files of "
            f"1 to 64 KiB; {WORKERS} workers; {arguments.late:g} ms more for each "
            "operation of the share and of its locks"
        )
        report.notes.append(f"operations for each file: {contest.operations()}")
    report.cases.append(
        Case(
            name="encode where the share answers late",
            input=f"{arguments.files} files",
            raw_bytes=contest.bytes,
            ours=_DRAIN,
            rival=f"{_DRAIN}, on a local disk",
            ours_seconds=seconds["late"],
            rival_seconds=seconds["local"],
            target=0.5,
        )
    )
    return report


class _Contest:
    """All that is timed. Nothing is removed before the end."""

    def __init__(self, place: Path, files: int) -> None:
        workplace.note("writing the files")
        self._place = place
        self._files = files
        self._drains = Drains(place)
        self._counts: Counter[str] = Counter()
        self.bytes = write_small_files(place / "raw", files)

    def drain(self, late_seconds: float) -> float:
        """Return how long a drain takes."""
        share = self._drains.share()
        (share / "inbox").rmdir()
        shutil.copytree(self._place / "raw", share / "inbox")
        os.sync()
        checkout = Path(__file__).parents[2]
        folders = (checkout / "scripts", checkout, checkout / "core")
        env = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, folders)))
        with tempfile.TemporaryDirectory(dir=self._place) as counts:
            program = (sys.executable, "-m", "benchmarks.far_drain")
            words = ("drain", share, "--direction", "encode", "--quiet")
            more = ("--workers", str(WORKERS), "--no-pace")
            seconds = workplace.seconds_of(
                lambda: workplace.run(
                    *program, str(late_seconds), counts, *words, *more, env=env
                )
            )
            if late_seconds:
                self._counts.clear()
                for path in Path(counts).iterdir():
                    self._counts.update(json.loads(path.read_text()))
        return seconds

    def operations(self) -> str:
        """Tell how many operations the last drain took."""
        each = {name: count / self._files for name, count in self._counts.items()}
        told = sorted(each.items(), key=lambda pair: -pair[1])
        parts = ", ".join(f"{name} {count:.2f}" for name, count in told)
        return f"{sum(each.values()):.1f} ({parts})"
