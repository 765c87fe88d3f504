"""`paxect-batch drain` before very many files, and behind a very long ledger."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks import workplace
from benchmarks.drains import WORKERS, Drains
from benchmarks.report import Case, Report

SUMMARY = "the relay before a million files, and behind ten million records"

FEW = 10_000
IN_A_FOLDER = 1000
DRAIN_SECONDS = 30
"""How long the drain of very many is looked at."""
FIRST_CLAIM_SECONDS = 2.0
START_SECONDS = 3.0
SCANNED_A_SECOND = 150_000
_LOOK_SECONDS = 0.002
_FILE_BYTES = 4096
_RECORDS_AT_ONCE = 10_000
_DRAIN = f"paxect-batch drain SHARE --direction encode --workers {WORKERS}"

_SCAN = """
import sys, time
from paxect_batch.model.places import Root
from paxect_batch.relay.scan import scan
from paxect_batch.world.share import LocalShare
share = LocalShare({Root.INBOX: f"{sys.argv[1]}/inbox"})
begin = time.perf_counter()
count = sum(1 for _ in scan(share, Root.INBOX))
print(count, time.perf_counter() - begin)
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files", type=int, default=1_000_000, help="how many (default 1000000)"
    )
    parser.add_argument(
        "--records", type=int, default=10_000_000, help="how many (default 10000000)"
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure all cases; each round makes its files anew."""
    report = Report(machine=workplace.machine(), notes=[])
    many, records = arguments.files, arguments.records
    needed = 2 * many * _FILE_BYTES + records * len(_record(0))
    seconds: dict[str, list[float]] = {}
    with workplace.disk_folder(arguments.dir, bytes_needed=needed) as place:
        scale = _Scale(place)
        for number in range(arguments.rounds):
            workplace.note(f"round {number + 1} of {arguments.rounds}")
            for name, taken in scale.round(many, records).items():
                seconds.setdefault(name, []).append(taken)
        report.notes.append(
            f"{arguments.rounds} rounds in {place.parent}; files of a few bytes, "
            f"{IN_A_FOLDER} in a folder; memory of all processes: "
            f"{scale.memory_mib:.0f} MiB"
        )
    rounds = arguments.rounds
    cases = [
        _bounded(
            "first claim",
            f"{many} files",
            _DRAIN,
            seconds["first claim"],
            [FIRST_CLAIM_SECONDS] * rounds,
            f"{FIRST_CLAIM_SECONDS:g} seconds",
        ),
        _bounded(
            "scan",
            f"{many} files",
            "the listing of a drain, in a process of its own",
            seconds["scan"],
            [many / SCANNED_A_SECOND] * rounds,
            f"{SCANNED_A_SECOND} entries a second",
        ),
        _bounded(
            "time for each file",
            f"{many} files",
            f"{_DRAIN}, for {DRAIN_SECONDS} seconds",
            seconds["a file of many"],
            seconds["a file of few"],
            f"the same with {FEW} files",
            target=1.3,
        ),
        _bounded(
            "empty drain",
            f"{records} records",
            _DRAIN,
            seconds["start"],
            [START_SECONDS] * rounds,
            f"{START_SECONDS:g} seconds",
        ),
    ]
    report.cases.extend(cases)
    return report


def _bounded(
    name: str,
    given: str,
    ours: str,
    ours_seconds: list[float],
    bound_seconds: list[float],
    bound: str,
    *,
    target: float = 1.0,
) -> Case:
    return Case(
        name=name,
        input=given,
        raw_bytes=0,
        ours=ours,
        rival=bound,
        ours_seconds=ours_seconds,
        rival_seconds=bound_seconds,
        target=target,
        at_most=True,
    )


class _Scale:
    def __init__(self, place: Path) -> None:
        self._drains = Drains(place)
        self.memory_mib = 0.0

    def round(self, many: int, records: int) -> dict[str, float]:
        """Take all measures once."""
        _, few, _ = self._drain(FEW, before=0.0)
        first, each, share = self._drain(many, before=DRAIN_SECONDS)
        taken = {"first claim": first, "a file of few": few, "a file of many": each}
        shutil.rmtree(share)
        share = self._share(many)
        said = subprocess.run(
            [sys.executable, "-c", _SCAN, share],
            env=self._drains.env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        taken["scan"] = float(said[1]) * many / int(said[0])
        shutil.rmtree(share)
        share = self._share(0)
        _write_records(share / ".paxect" / "ledger" / "other", records)
        taken["start"] = workplace.seconds_of(lambda: self._drains.drain("encode"))
        shutil.rmtree(share)
        return taken

    def _drain(self, count: int, *, before: float) -> tuple[float, float, Path]:
        """Drain so many, or for so long; how soon the first was claimed, and each."""
        share = self._share(count)
        words = ("--deadline", f"{before:g}s") if before else ()
        first: list[float] = []
        looking = threading.Thread(target=self._look, args=(share, first))
        began = time.perf_counter()
        looking.start()
        self._drains.watched("encode", more=words)
        self.memory_mib = self._drains.memory_mib
        taken = time.perf_counter() - began
        looking.join()
        ended = sum(len(names) for _, _, names in os.walk(share / "wire")) // 2
        return first[0], (taken - first[0]) / ended, share

    def _look(self, share: Path, first: list[float]) -> None:
        began = time.perf_counter()
        claims = share / ".paxect" / "claims"
        while not first:
            if claims.is_dir() and any(claims.glob("*.lock")):
                first.append(time.perf_counter() - began)
            time.sleep(_LOOK_SECONDS)

    def _share(self, count: int) -> Path:
        share = self._drains.share()
        for number in range(count):
            folder = share / "inbox" / f"{number // IN_A_FOLDER:04}"
            if number % IN_A_FOLDER == 0:
                folder.mkdir()
            fd = os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY)
            os.write(fd, b"%d" % number)
            os.close(fd)
        os.sync()
        return share


def _record(number: int) -> bytes:
    """Return a line as a run writes it for a file that was encoded."""
    name = f"{number // IN_A_FOLDER:05}/{number:08}.csv"
    digest = f"{number:064x}"
    line = {
        "fate": "delivered",
        "direction": "encode",
        "source": ["inbox", name],
        "identity": [14336, 1767225600000000000, number],
        "target": ["wire", f"{name}.freq"],
        "raw_bytes": 14336,
        "raw_sha256": digest,
        "container_bytes": 5734,
        "container_sha256": digest,
        "node": "other",
        "run": "20260101T000000000Z-000000",
        "codec": "zstandard 0.25.0, libzstd 1.5.7",
        "at": "2026-01-01T00:00:00.000Z",
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _write_records(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    with open(folder / "20260101T000000000Z-000000.jsonl", "wb") as stream:
        for begin in range(0, count, _RECORDS_AT_ONCE):
            end = min(begin + _RECORDS_AT_ONCE, count)
            stream.write(b"".join(map(_record, range(begin, end))))
    os.sync()
