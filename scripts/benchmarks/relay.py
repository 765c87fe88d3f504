"""`paxect-batch drain` beside shell pipelines and rsync, on many small files.

Each contender gets its own copy of the same files, made and synced before its time
begins. Ours claims, encodes, reads back, records and commits durably; what each rival
does of that is in its command.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import workplace
from benchmarks.drains import WORKERS, Drains, in_turn
from benchmarks.report import Case, Report
from benchmarks.small_files import BYTES_TYPICAL, IN_A_FOLDER, write_small_files

SUMMARY = "the relay against shell pipelines and rsync on many small files"

IDLE_RUNS = 5
"""Runs of an empty drain in one round, which counts their median."""

_BLOCKS_BYTES = 8192
"""What a disk may take for a file beyond its size, its sidecar included."""

_EACH = "-print0 | xargs -0 -P2 -n500"
_SUMS = f"find . -type f {_EACH} sha256sum >../SUMS"
_ZSTD = f"{_SUMS} && find . -type f {_EACH} zstd -q --rm -5 && {_SUMS}.zst && sync"
_UNZSTD = f"{_SUMS}.zst && find . -type f {_EACH} zstd -q -d --rm && {_SUMS} && sync"
_RSYNC = "rsync -a --checksum --fsync --remove-source-files ./ ../copied/"
_OURS = "paxect-batch drain SHARE --direction {} --workers 2"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files", type=int, default=20_000, help="how many files (default 20000)"
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure all cases."""
    tools = workplace.need_tools("zstd", "rsync")
    report = Report(machine=workplace.machine() | tools, notes=[])
    # Nothing is removed before the end, see `_Contest`.
    copies = 3 + 5 * arguments.rounds
    needed = copies * arguments.files * (BYTES_TYPICAL + _BLOCKS_BYTES)
    with workplace.disk_folder(arguments.dir, bytes_needed=needed) as place:
        report.notes.append(
            f"{arguments.rounds} rounds in {place.parent}; {arguments.files} files of "
            f"1 to 64 KiB, {IN_A_FOLDER} in a folder; {WORKERS} workers"
        )
        contest = _Contest(place, arguments.files)
        contest.measure(rounds=arguments.rounds)
        report.cases.extend(contest.cases())
    return report


class _Contest:
    """All that is timed.

    What a contender leaves stays to the end: an ext4 without a journal passes over
    each name that was removed in the last minutes whenever a file is made, so the next
    one would pay for it.
    """

    def __init__(self, place: Path, files: int) -> None:
        """Write the files, and what they are encoded to by each side."""
        self._place = place
        self._files = files
        self._rivals = 0
        self._drains = Drains(place)
        self._seconds: dict[str, list[float]] = {}
        workplace.note("writing the files")
        self._bytes = write_small_files(place / "raw", files)
        workplace.note("warming up")
        share = self._share("raw", "inbox")
        self._drains.drain("encode")
        shutil.move(share / "wire", place / "containers")
        self._shell(_ZSTD, "raw", keep="packed")

    def measure(self, *, rounds: int) -> None:
        """Time everything."""
        steps: dict[str, Callable[[], float]] = {
            "encode": self._encode,
            "zstd": lambda: self._shell(_ZSTD, "raw"),
            "rsync": lambda: self._shell(_RSYNC, "raw"),
            "decode": self._decode,
            "unzstd": lambda: self._shell(_UNZSTD, "packed"),
            "idle": self._idle,
            "python": self._python,
        }
        self._seconds = in_turn(steps, rounds=rounds)

    def cases(self) -> list[Case]:
        """Return what came out of it."""
        sums = "and sha256sum by xargs -P2"
        return [
            self._case("encode", "zstd", _ZSTD, 1.0, f"zstd {sums}"),
            self._case("encode", "rsync", _RSYNC, 1.7, "rsync --checksum --fsync"),
            self._case("decode", "unzstd", _UNZSTD, 1.0, f"zstd -d {sums}"),
            Case(
                name="empty drain, whole process",
                input="nothing",
                raw_bytes=0,
                ours="paxect-batch drain SHARE --quiet",
                rival="python3 -c pass",
                ours_seconds=self._seconds["idle"],
                rival_seconds=self._seconds["python"],
                target=4.0,
                at_most=True,
            ),
        ]

    def _case(
        self, ours: str, theirs: str, command: str, target: float, against: str
    ) -> Case:
        return Case(
            name=f"{ours} small files",
            input=f"{self._files} files",
            raw_bytes=self._bytes,
            ours=_OURS.format(ours),
            rival=command,
            ours_seconds=self._seconds[ours],
            rival_seconds=self._seconds[theirs],
            target=target,
            against=against,
        )

    def _encode(self) -> float:
        self._share("raw", "inbox")
        return workplace.seconds_of(lambda: self._drains.drain("encode"))

    def _decode(self) -> float:
        share = self._share("containers", "wire")
        seconds = workplace.seconds_of(lambda: self._drains.drain("decode"))
        found = sum(len(files) for _, _, files in os.walk(share / "outbox"))
        assert found == self._files, f"{found} of {self._files} files came out"
        return seconds

    def _share(self, source: str, root: str) -> Path:
        share = self._drains.share()
        (share / root).rmdir()
        self._copy(source, share / root)
        return share

    def _shell(self, script: str, source: str, *, keep: str = "") -> float:
        self._rivals += 1
        place = self._place / f"rival-{self._rivals:03}" / "files"
        place.parent.mkdir()
        self._copy(source, place)
        seconds = workplace.seconds_of(
            lambda: subprocess.run(["sh", "-ec", script], cwd=place, check=True)
        )
        if keep:
            shutil.move(place, self._place / keep)
        return seconds

    def _copy(self, source: str, target: Path) -> None:
        shutil.copytree(self._place / source, target)
        os.sync()

    def _idle(self) -> float:
        self._drains.share()
        return _typical(lambda: self._drains.drain("relay"))

    def _python(self) -> float:
        return _typical(lambda: workplace.run(sys.executable, "-c", "pass"))


def _typical(action: Callable[[], None]) -> float:
    return median(workplace.seconds_of(action) for _ in range(IDLE_RUNS))
