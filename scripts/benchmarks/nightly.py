"""A nightly batch of all sizes: how near a drain comes to two cores that never rest."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from benchmarks import inputs, workplace
from benchmarks.drains import WORKERS, Drains
from benchmarks.report import Case, Report
from benchmarks.small_files import BYTES_TYPICAL, write_small_files

SUMMARY = "the relay on a batch of small, medium and large files"

MEDIUM_BYTES = 4 << 20
LARGE_BYTES = 512 << 20


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files", type=int, default=30_000, help="how many small files (default 30000)"
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure the one case."""
    report = Report(machine=workplace.machine(), notes=[])
    small, medium, large = arguments.files, arguments.files // 100, 3
    size = small * BYTES_TYPICAL + medium * MEDIUM_BYTES + large * LARGE_BYTES
    walls, halves = [], []
    with workplace.disk_folder(arguments.dir, bytes_needed=3 * size) as place:
        drains = Drains(place)
        for number in range(arguments.rounds):
            workplace.note(f"round {number + 1} of {arguments.rounds}")
            written = _fill(drains.share() / "inbox", small, medium, large)
            began = time.perf_counter()
            taken = drains.watched("encode")
            walls.append(time.perf_counter() - began)
            halves.append(taken / WORKERS)
        report.notes.append(
            f"{arguments.rounds} rounds in {place.parent}; "
            f"{small} files of 1 to 64 KiB, {medium} of {MEDIUM_BYTES >> 20} MiB, "
            f"{large} of {LARGE_BYTES >> 20} MiB; "
            f"memory of all processes: {drains.memory_mib:.0f} MiB"
        )
    report.cases.append(
        Case(
            name="mixed batch",
            input=f"{small + medium + large} files",
            raw_bytes=written,
            ours="paxect-batch drain SHARE --direction encode --workers 2",
            rival="half the processor seconds of all its processes",
            ours_seconds=walls,
            rival_seconds=halves,
            target=1.15,
            at_most=True,
        )
    )
    return report


def _fill(inbox: Path, small: int, medium: int, large: int) -> int:
    written = write_small_files(inbox / "small", small)
    (inbox / "medium").mkdir()
    (inbox / "large").mkdir()
    sizes = [("medium", MEDIUM_BYTES)] * medium + [("large", LARGE_BYTES)] * large
    for number, (folder, size) in enumerate(sizes):
        inputs.write("csv", inbox / folder / f"{number:05}.csv", size)
        written += size
    os.sync()
    return written
