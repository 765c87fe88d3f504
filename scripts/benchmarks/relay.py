"""`paxect-batch drain` beside shell pipelines and rsync, on many small files.

Each contender gets its own copy of the same files, made and synced before its time
begins. Ours claims, encodes, reads back, records and commits durably; what each rival
does of that is in its command.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import workplace
from benchmarks.report import Case, Report

SUMMARY = "the relay against shell pipelines and rsync on many small files"

BYTES_MIN, BYTES_MAX = 1 << 10, 1 << 16
FILES_IN_A_FOLDER = 57
WORKERS = 2
IDLE_RUNS = 5
"""Runs of an empty drain in one round, which counts their median."""

_EACH = "-print0 | xargs -0 -P2 -n500"
_SUMS = f"find . -type f {_EACH} sha256sum >../SUMS"
_ZSTD = f"{_SUMS} && find . -type f {_EACH} zstd -q --rm -5 && {_SUMS}.zst && sync"
_UNZSTD = f"{_SUMS}.zst && find . -type f {_EACH} zstd -q -d --rm && {_SUMS} && sync"
_RSYNC = "rsync -a --checksum --fsync --remove-source-files ./ ../copied/"
_POLICY = 'version = "2"\nsettle_seconds = 0\nlevel = 5\n'

Steps = dict[str, Callable[[], float]]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files", type=int, default=20_000, help="how many files (default 20000)"
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure all cases."""
    tools = workplace.need_tools("zstd", "rsync")
    contest = _Contest(arguments.files)
    neighbours = workplace.Neighbours()
    report = Report(machine=workplace.machine() | tools, notes=[])
    size = arguments.files * (BYTES_MIN + BYTES_MAX) // 2
    # A folder in memory has nothing to sync.
    base = arguments.dir or os.path.expanduser("~")
    with workplace.folder(base, bytes_needed=5 * size) as place:
        report.notes.append(
            f"{arguments.rounds} rounds in {place.parent}; {arguments.files} files of "
            f"1 to 64 KiB, {FILES_IN_A_FOLDER} in a folder; {WORKERS} workers"
        )
        contest.prepare(place)
        contest.measure(rounds=arguments.rounds)
        report.cases.extend(contest.cases())
    report.machine["other processes"] = neighbours.share()
    return report


class _Contest:
    """All that is timed."""

    def __init__(self, files: int) -> None:
        self._files = files
        self._bytes = 0
        self._env = workplace.environment(None)
        installed = Path(sys.executable).with_name("paxect-batch")
        self._command: tuple[str | Path, ...] = (installed,)
        if not installed.exists():
            self._command = (sys.executable, "-m", "paxect_batch")
            checkout = Path(__file__).parents[2]
            folders = os.pathsep.join((str(checkout), str(checkout / "core")))
            self._env["PYTHONPATH"] = folders
        self._seconds: dict[str, list[float]] = {}

    def prepare(self, place: Path) -> None:
        """Write the files, and what they are encoded to by each side."""
        self._place = place
        workplace.note("writing the files")
        chance = random.Random(20260103)
        words = [f"{chance.random():.6f}" for _ in range(4096)]
        text = "\n".join(
            ",".join(chance.choices(words, k=6)) for _ in range(8192)
        ).encode()
        for number in range(self._files):
            folder = place / "raw" / f"{number // FILES_IN_A_FOLDER:05}"
            folder.mkdir(parents=True, exist_ok=True)
            # Small files are more than large ones, as they are in life.
            size = int(BYTES_MIN * (BYTES_MAX / BYTES_MIN) ** chance.random())
            begin = chance.randrange(len(text) - size)
            (folder / f"{number:06}.csv").write_bytes(text[begin : begin + size])
            self._bytes += size

    def measure(self, *, rounds: int) -> None:
        steps: Steps = {
            "encode": self._encode,
            "zstd": lambda: self._shell(_ZSTD, "raw"),
            "rsync": lambda: self._shell(_RSYNC, "raw"),
            "decode": self._decode,
            "unzstd": lambda: self._shell(_UNZSTD, "packed"),
            "idle": self._idle,
            "python": self._python,
        }
        workplace.note("warming up")
        self._pack()
        for number in range(rounds):
            workplace.note(f"round {number + 1} of {rounds}")
            order = list(steps.items())
            for name, step in order if number % 2 == 0 else reversed(order):
                self._seconds.setdefault(name, []).append(step())

    def cases(self) -> list[Case]:
        drain = "paxect-batch drain SHARE --direction {} --workers 2"
        rows = (
            (
                "encode small files",
                drain.format("encode"),
                _ZSTD,
                "encode",
                "zstd",
                1.0,
                "zstd and sha256sum by xargs -P2",
            ),
            (
                "encode small files",
                drain.format("encode"),
                _RSYNC,
                "encode",
                "rsync",
                1.7,
                "rsync --checksum --fsync",
            ),
            (
                "decode small files",
                drain.format("decode"),
                _UNZSTD,
                "decode",
                "unzstd",
                1.0,
                "zstd -d and sha256sum by xargs -P2",
            ),
        )
        cases = [
            Case(
                name=name,
                input=f"{self._files} files",
                raw_bytes=self._bytes,
                ours=ours,
                rival=rival,
                ours_seconds=self._seconds[mine],
                rival_seconds=self._seconds[theirs],
                target=target,
                against=against,
            )
            for name, ours, rival, mine, theirs, target, against in rows
        ]
        cases.append(
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
                against="python3 -c pass",
            )
        )
        return cases

    def _pack(self) -> None:
        """Make the containers, and zstd's files, that are taken out again."""
        share = self._share("raw", "inbox")
        self._drain(share, "encode")
        shutil.move(share / "wire", self._place / "containers")
        shutil.rmtree(share)
        self._shell(_ZSTD, "raw", keep="packed")

    def _encode(self) -> float:
        share = self._share("raw", "inbox")
        seconds = workplace.seconds_of(lambda: self._drain(share, "encode"))
        shutil.rmtree(share)
        return seconds

    def _decode(self) -> float:
        share = self._share("containers", "wire")
        seconds = workplace.seconds_of(lambda: self._drain(share, "decode"))
        found = sum(len(files) for _, _, files in os.walk(share / "outbox"))
        assert found == self._files, f"{found} of {self._files} files came out"
        shutil.rmtree(share)
        return seconds

    def _share(self, source: str, root: str) -> Path:
        share = self._place / "share"
        workplace.run(*self._command, "init", share, "--quiet", env=self._env)
        (share / ".paxect" / "policy.toml").write_text(_POLICY)
        (share / root).rmdir()
        self._copy(source, share / root)
        return share

    def _drain(self, share: Path, direction: str) -> None:
        words = ("drain", share, "--direction", direction, "--workers", str(WORKERS))
        workplace.run(*self._command, *words, "--quiet", env=self._env)

    def _shell(self, script: str, source: str, *, keep: str = "") -> float:
        place = self._place / "rival" / "files"
        place.parent.mkdir()
        self._copy(source, place)
        seconds = workplace.seconds_of(
            lambda: subprocess.run(["sh", "-ec", script], cwd=place, check=True)
        )
        if keep:
            shutil.move(place, self._place / keep)
        shutil.rmtree(place.parent)
        return seconds

    def _copy(self, source: str, target: Path) -> None:
        shutil.copytree(self._place / source, target)
        os.sync()

    def _idle(self) -> float:
        share = self._place / "share"
        workplace.run(*self._command, "init", share, "--quiet", env=self._env)
        seconds = _typical(lambda: self._drain(share, "relay"))
        shutil.rmtree(share)
        return seconds

    def _python(self) -> float:
        return _typical(
            lambda: workplace.run(sys.executable, "-c", "pass", env=self._env)
        )


def _typical(action: Callable[[], None]) -> float:
    return median(workplace.seconds_of(action) for _ in range(IDLE_RUNS))
