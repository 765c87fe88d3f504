"""Try the pace on this machine: `python tests/system/pace_trial.py memory|load|rest`.

memory  a drain in a control group that four workers do not fit in, with and without
load    how long a computation takes alone, beside a drain, and beside one with a pace
rest    what a watch takes of a core that has nothing to do

Needs the right to make a control group for the first. Prints one JSON line each; the
figures of docs/pace.md come from here. Minutes; no test runs it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RELAY = (sys.executable, "-m", "paxect_batch")
GROUPS = Path("/sys/fs/cgroup/memory")
MIB = 1 << 20


def main() -> None:
    trials: dict[str, Callable[[Path], None]] = {
        "memory": memory,
        "load": load,
        "rest": rest,
    }
    for name in sys.argv[1:]:
        folder = Path(tempfile.mkdtemp(dir=os.environ.get("PACE_TRIAL_DIR")))
        try:
            trials[name](folder)
        finally:
            shutil.rmtree(folder)


def share_with(
    folder: Path, *, files: int, size: int, frame_bytes: int = MIB, level: int = 5
) -> Path:
    """Lay out a share with files to encode; return it."""
    share = folder / "share"
    subprocess.run([*RELAY, "init", str(share), "--quiet"], check=True)
    policy = share / ".paxect" / "policy.toml"
    facts = ('version = "2"', f"frame_bytes = {frame_bytes}", f"level = {level}")
    policy.write_text("\n".join((*facts, 'allowed_suffixes = [".bin"]', "")))
    block = os.urandom(MIB // 2) + bytes(MIB // 2)
    for number in range(files):
        with open(share / "inbox" / f"{number:05}.bin", "wb") as sink:
            sink.writelines(
                block[: min(size - piece, MIB)] for piece in range(0, size, MIB)
            )
    old = time.time() - 3600
    for path in (share / "inbox").iterdir():
        os.utime(path, (old, old))
    return share


def drain(share: Path, *words: str, before: Callable[[], None] | None = None) -> dict:
    begin = time.monotonic()
    run = subprocess.run(
        [*RELAY, "drain", str(share), "--direction", "encode", "--quiet", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        preexec_fn=before,
    )
    return {
        "exit": run.returncode,
        "seconds": round(time.monotonic() - begin, 1),
        "worker_deaths": events(share).count("worker_died"),
        "pace": sorted(set(pace_of(share))),
    }


def lines(share: Path) -> list[dict]:
    found = []
    for log in (share / ".paxect" / "log").glob("*.jsonl"):
        found += [json.loads(line) for line in log.read_text().splitlines()]
    return found


def events(share: Path) -> list[str]:
    return [line["event"] for line in lines(share)]


def pace_of(share: Path) -> list[str]:
    paces = [line["pace"]["pace"] for line in lines(share) if "pace" in line]
    return [f"{pace['pace']:g} {pace['cause']}" for pace in paces]


def memory(folder: Path) -> None:
    own = next(
        line.split(":")[2].strip("/")
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if line.split(":")[1] == "memory"
    )
    limit = 320 * MIB
    for words in ((), ("--no-pace",)):
        group = GROUPS / own / "pace-trial"
        group.mkdir()
        try:
            (group / "memory.limit_in_bytes").write_text(str(limit))
            share = share_with(
                folder / "-".join(("a", *words)),
                files=6,
                size=130 * MIB,
                frame_bytes=64 * MIB,
                level=1,
            )

            def enter(group: Path = group) -> None:
                (group / "cgroup.procs").write_text(str(os.getpid()))

            figures = drain(share, "--workers", "4", *words, before=enter)
            peak = int((group / "memory.max_usage_in_bytes").read_text())
            kills = (group / "memory.oom_control").read_text().split()[-1]
            figures |= {"limit_mib": limit // MIB, "peak_mib": peak // MIB}
            print(json.dumps({"words": words, "oom_kills": int(kills)} | figures))
        finally:
            group.rmdir()


def load(folder: Path) -> None:
    compute = "sum(i * i for i in range(500_000_000))"

    def timed() -> float:
        cores = os.cpu_count() or 1
        begin = time.monotonic()
        runs = [subprocess.Popen([sys.executable, "-c", compute]) for _ in range(cores)]
        assert [run.wait() for run in runs] == [0] * cores
        return round(time.monotonic() - begin, 1)

    print(json.dumps({"load": "alone", "seconds": timed()}), flush=True)
    for words in (("--no-pace",), (), ("--nice", "19")):
        share = share_with(
            folder / "-".join(("a", *words)), files=400, size=8 * MIB, level=19
        )
        command = [*RELAY, "drain", str(share), "--direction", "encode", "--quiet"]
        run = subprocess.Popen(
            [*command, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(5)
        seconds = timed()
        assert run.poll() is None, "the drain ended before the computation"
        run.terminate()
        run.wait()
        told = sorted(set(pace_of(share)))
        print(
            json.dumps({"beside": words, "seconds": seconds, "pace": told}), flush=True
        )
        shutil.rmtree(share)


def rest(folder: Path) -> None:
    for words in ((), ("--no-pace",)):
        share = share_with(folder / "-".join(("a", *words)), files=0, size=0)
        run = subprocess.Popen(
            [*RELAY, "watch", str(share), "--quiet", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(5)
        begin, used = time.monotonic(), cpu_seconds(run.pid)
        time.sleep(30)
        part = (cpu_seconds(run.pid) - used) / (time.monotonic() - begin)
        run.terminate()
        run.wait()
        print(json.dumps({"words": words, "part_of_a_core": round(part, 4)}))


def cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
