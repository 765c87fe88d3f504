"""`paxect-core` beside zstd and OpenSSL, whole processes, one large file at a time.

Each round measures everything once, the next round in reverse order; ratios are taken
within a round, so that a machine which is now faster, now slower does both sides alike.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import inputs, workplace
from benchmarks.report import Case, Report

SUMMARY = "the container engine against zstd and openssl on large files"

THREADS = 2
SMALL_RUNS = 20
"""Runs of the 1 KiB case in one round, which counts their median."""

_BESIDE = (
    "zstd -T2 -3 -q IN -o OUT.zst & openssl dgst -sha256 IN; wait; "
    "openssl dgst -sha256 OUT.zst"
)
_UNZSTD = "zstd -d -q OUT.zst -o BACK && openssl dgst -sha256 BACK"
_LOOP = "zstd, CRC32, SHA-256 of frame and of container, frame by frame in one thread"

Seconds = dict[str, list[float]]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size", type=int, default=512, help="MiB of each input (default 512)"
    )
    parser.add_argument(
        "--inputs",
        nargs="+",
        choices=inputs.NAMES,
        default=list(inputs.NAMES),
        help="which inputs (default: all)",
    )


def measure(arguments: argparse.Namespace) -> Report:
    """Measure all cases."""
    tools = workplace.need_tools("zstd", "openssl")
    engine = _Engine()
    size = arguments.size << 20
    report = Report(
        machine=workplace.machine() | tools | {"codec": engine.codec_version}, notes=[]
    )
    with workplace.memory_folder(arguments.dir, bytes_needed=5 * size) as place:
        report.notes.append(
            f"{arguments.rounds} rounds, after one that does not count and brings "
            f"memory and files in; {arguments.size} MiB of each input in {place.parent}"
        )
        report.cases.append(_small(engine, place, rounds=arguments.rounds))
        for name in arguments.inputs:
            workplace.note(f"writing {name}")
            contents = inputs.write(name, place / "in", size)
            contest = _Contest(engine, place)
            contest.measure(rounds=arguments.rounds, name=name)
            report.notes.append(
                f"{name}: {contents}; container {contest.ratio:.2f} to 1 at level 3"
            )
            report.cases.extend(contest.cases(name, size))
    return report


class _Engine:
    """How to start `paxect-core` with this interpreter, and its parts in process."""

    def __init__(self) -> None:
        checkout = Path(__file__).parents[2] / "core"
        installed = Path(sys.executable).with_name("paxect-core")
        if installed.exists():
            self.command: tuple[str | Path, ...] = (installed,)
            self.env = workplace.environment(None)
        else:
            self.command = (sys.executable, "-m", "paxect_core")
            self.env = workplace.environment(checkout)
            sys.path.insert(0, str(checkout))
        try:
            from paxect_core.codec import CODEC_VERSION
        except ImportError as error:
            raise workplace.Unavailable(
                f"{sys.executable} has no {error.name}; install the project with "
                "pip, or run this with the interpreter of its virtual environment"
            ) from error
        self.codec_version = CODEC_VERSION

    def run(self, *words: str | Path) -> None:
        workplace.run(*self.command, *words, env=self.env)


def _small(engine: _Engine, place: Path, *, rounds: int) -> Case:
    source, target = place / "small", place / "small.freq"
    source.write_bytes(bytes(range(256)) * 4)

    def encode() -> None:
        engine.run("encode", "-i", source, "-o", target)

    def nothing() -> None:
        workplace.run(sys.executable, "-c", "pass", env=engine.env)

    def typical(action: Callable[[], None]) -> float:
        times = []
        for _ in range(SMALL_RUNS):
            target.unlink(missing_ok=True)
            times.append(workplace.seconds_of(action))
        return median(times)

    seconds: Seconds = {}
    _rounds(
        {"ours": lambda: typical(encode), "rival": lambda: typical(nothing)},
        seconds,
        rounds,
    )
    return Case(
        name="encode 1 KiB, whole process",
        input="small",
        raw_bytes=1024,
        ours="paxect-core encode -i IN -o OUT",
        rival="python3 -c pass",
        ours_seconds=seconds["ours"],
        rival_seconds=seconds["rival"],
        target=2.5,
        at_most=True,
    )


class _Contest:
    """All that is timed for one input."""

    def __init__(self, engine: _Engine, place: Path) -> None:
        self._engine = engine
        self._in = place / "in"
        self._outputs = {
            name: place / name for name in ("freq", "freq5", "zst", "back", "back.zst")
        }
        self._seconds: Seconds = {}
        self.ratio = 0.0

    def measure(self, *, rounds: int, name: str) -> None:
        steps = {
            "encode": lambda: self._encode("3", "freq"),
            "beside": self._beside,
            "core seconds": lambda: one_core(self._in, level=3)[1],
            "encode 5": lambda: self._encode("5", "freq5"),
            "loop 5": lambda: one_core(self._in, level=5)[0],
            "decode": self._decode,
            "unzstd": self._unzstd,
            "verify": self._verify,
        }
        # The first round makes what the others read, so it keeps this order.
        _rounds(steps, self._seconds, rounds, name=name)
        self.ratio = self._in.stat().st_size / self._outputs["freq"].stat().st_size

    def cases(self, name: str, raw_bytes: int) -> list[Case]:
        seconds = self._seconds
        # With random data the copies in and out, which these two rivals are spared,
        # take as long as the rest: reported, but nothing to reach.
        compressible = name != "random"
        half = [value / THREADS for value in seconds["core seconds"]]
        encode = "paxect-core encode --level {} --threads 2 -i IN -o OUT.freq"
        decode = "paxect-core decode --threads 2 -i OUT.freq -o BACK"
        verify = "paxect-core verify --threads 2 OUT.freq"
        beside, apart = "zstd -T2 -3 and openssl dgst", "zstd -d and openssl dgst"
        rows = (
            (
                "encode, level 3",
                encode.format(3),
                _BESIDE,
                "encode",
                "beside",
                1.3,
                beside,
            ),
            (
                "encode, level 3, two-core limit",
                encode.format(3),
                f"half the CPU seconds of: {_LOOP}",
                "encode",
                half,
                0.9 if compressible else None,
                "",
            ),
            (
                "encode, level 5, one thread",
                encode.format(5),
                _LOOP,
                "encode 5",
                "loop 5",
                1.9 if compressible else None,
                "",
            ),
            (
                "decode to a file",
                decode,
                _UNZSTD,
                "decode",
                "unzstd",
                1.8,
                apart,
            ),
            ("verify", verify, _UNZSTD, "verify", "unzstd", 2.0, apart),
        )
        return [
            Case(
                name=case,
                input=name,
                raw_bytes=raw_bytes,
                ours=ours,
                rival=rival,
                ours_seconds=seconds[mine],
                rival_seconds=seconds[theirs] if isinstance(theirs, str) else theirs,
                target=target,
                against=against,
            )
            for case, ours, rival, mine, theirs, target, against in rows
        ]

    def _fresh(self, name: str) -> Path:
        self._outputs[name].unlink(missing_ok=True)
        return self._outputs[name]

    def _encode(self, level: str, name: str) -> float:
        words = ("encode", "--level", level, "--threads", str(THREADS))
        files = ("-i", self._in, "-o", self._fresh(name))
        seconds = workplace.seconds_of(lambda: self._engine.run(*words, *files))
        if name == "freq5":
            self._fresh(name)
        return seconds

    def _beside(self) -> float:
        out = self._fresh("zst")

        def action() -> None:
            workplace.run_beside(
                ("zstd", "-T2", "-3", "-q", self._in, "-o", out),
                ("openssl", "dgst", "-sha256", self._in),
            )
            workplace.run("openssl", "dgst", "-sha256", out)

        return workplace.seconds_of(action)

    def _decode(self) -> float:
        words = ("decode", "--threads", str(THREADS), "-i", self._outputs["freq"])
        out = self._fresh("back")
        seconds = workplace.seconds_of(lambda: self._engine.run(*words, "-o", out))
        self._fresh("back")
        return seconds

    def _verify(self) -> float:
        words = ("verify", "--threads", str(THREADS), self._outputs["freq"])
        return workplace.seconds_of(lambda: self._engine.run(*words))

    def _unzstd(self) -> float:
        out = self._fresh("back.zst")

        def action() -> None:
            workplace.run("zstd", "-d", "-q", self._outputs["zst"], "-o", out)
            workplace.run("openssl", "dgst", "-sha256", out)

        seconds = workplace.seconds_of(action)
        self._fresh("back.zst")
        return seconds


def one_core(path: Path, *, level: int) -> tuple[float, float]:
    """Return wall and CPU seconds that the work on the frames takes in one thread.

    The work is what an encoder cannot avoid: zstd, CRC32 of the raw bytes, SHA-256 of
    raw and of compressed bytes. Reading and writing are not counted.
    """
    from hashlib import sha256

    from paxect_core.checksum import crc32
    from paxect_core.codec import Compressor
    from paxect_core.limits import FRAME_BYTES_DEFAULT
    from paxect_core.parallel import keep_freed_memory

    keep_freed_memory()
    compressor = Compressor(level)
    raw_digest, container_digest = sha256(), sha256()
    wall = cpu = 0.0
    with open(path, "rb", buffering=0) as stream:
        while raw := stream.read(FRAME_BYTES_DEFAULT):
            wall_start, cpu_start = time.perf_counter(), time.thread_time()
            body = compressor.compress(raw)
            crc32(raw)
            raw_digest.update(raw)
            container_digest.update(body)
            cpu += time.thread_time() - cpu_start
            wall += time.perf_counter() - wall_start
    return wall, cpu


def _rounds(
    steps: dict[str, Callable[[], float]],
    seconds: Seconds,
    rounds: int,
    *,
    name: str = "small files",
) -> None:
    workplace.note(f"warming up on {name}")
    for step in steps.values():
        step()
    for number in range(rounds):
        workplace.note(f"{name}: round {number + 1} of {rounds}")
        order = list(steps.items())
        for step_name, step in order if number % 2 == 0 else reversed(order):
            seconds.setdefault(step_name, []).append(step())
