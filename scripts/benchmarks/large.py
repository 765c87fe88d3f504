"""`paxect-batch drain` on a few large files: beside zstd, and beside one core of it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks import inputs, workplace
from benchmarks.drains import WORKERS, Drains, in_turn
from benchmarks.report import Case, Report

SUMMARY = "the relay against zstd on large files"

KINDS = ("csv", "libraries", "random", "csv")
_ZSTD = (
    "for file in *; do openssl dgst -sha256 $file & "
    "zstd -q -T2 -5 $file -o ../out/$file.zst; wait; "
    "openssl dgst -sha256 ../out/$file.zst; zstd -q -t ../out/$file.zst; done; "
    "sync"
)
_OURS = "paxect-batch drain SHARE --direction encode --workers 2"
_ONE_CORE = ("taskset", "-c", "0")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size", type=int, default=1024, help="MiB of each of 4 files (default 1024)"
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure all cases."""
    tools = workplace.need_tools("zstd", "openssl")
    report = Report(machine=workplace.machine() | tools, notes=[])
    size = arguments.size << 20
    with workplace.disk_folder(arguments.dir, bytes_needed=12 * size) as place:
        report.notes.append(
            f"{arguments.rounds} rounds in {place.parent}; four files of "
            f"{arguments.size} MiB ({', '.join(KINDS)}), and all of them in one"
        )
        contest = _Contest(place, size)
        steps = {
            "four": lambda: contest.ours("four"),
            "zstd": contest.zstd,
            "one": lambda: contest.ours("one"),
            "one core": lambda: contest.ours("one", workers=1, before=_ONE_CORE),
        }
        seconds = in_turn(steps, rounds=arguments.rounds)
        report.notes.append(f"memory of all processes: {contest.memory():.0f} MiB")
    report.cases.append(
        Case(
            name="encode large files",
            input=f"4 files of {arguments.size} MiB",
            raw_bytes=4 * size,
            ours=_OURS,
            rival=_ZSTD,
            ours_seconds=seconds["four"],
            rival_seconds=seconds["zstd"],
            target=1.2,
            against="zstd -T2, zstd -t and openssl dgst",
        )
    )
    report.cases.append(
        Case(
            name="encode one large file",
            input=f"{4 * arguments.size} MiB",
            raw_bytes=4 * size,
            ours=_OURS,
            rival=f"{' '.join(_ONE_CORE)} {_OURS.replace('2', '1')}",
            ours_seconds=seconds["one"],
            rival_seconds=seconds["one core"],
            target=1.8,
        )
    )
    return report


class _Contest:
    """All that is timed. Files are dropped by a link, which copies nothing."""

    def __init__(self, place: Path, size: int) -> None:
        self._place = place
        self._drains = Drains(place)
        for folder in ("four", "one"):
            (place / folder).mkdir()
        with open(place / "one" / "all.bin", "wb") as everything:
            for number, kind in enumerate(KINDS):
                workplace.note(f"writing {kind}")
                path = place / "four" / f"{number}-{kind}.bin"
                inputs.write(kind, path, size)
                with open(path, "rb") as stream:
                    shutil.copyfileobj(stream, everything, 1 << 20)
        os.sync()

    def ours(
        self, folder: str, *, workers: int = WORKERS, before: tuple[str, ...] = ()
    ) -> float:
        """Return how long a drain takes."""
        self._drop(folder)
        seconds = workplace.seconds_of(
            lambda: self._drains.drain("encode", workers=workers, before=before)
        )
        self._drains.remove()
        return seconds

    def memory(self) -> float:
        """Return what the processes of one more drain hold together."""
        self._drop("four")
        self._drains.watched("encode")
        self._drains.remove()
        return self._drains.memory_mib

    def zstd(self) -> float:
        """Return how long the rival takes."""
        out = self._place / "out"
        out.mkdir()
        seconds = workplace.seconds_of(
            lambda: subprocess.run(
                ["sh", "-ec", _ZSTD],
                cwd=self._place / "four",
                check=True,
                stdout=subprocess.DEVNULL,
            )
        )
        shutil.rmtree(out)
        return seconds

    def _drop(self, folder: str) -> None:
        share = self._drains.share()
        for path in (self._place / folder).iterdir():
            os.link(path, share / "inbox" / path.name)
