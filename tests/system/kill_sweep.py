"""Kill the relay at many moments, and look whether a later drain makes all good.

    python tests/system/kill_sweep.py --moments 300 --seed 1

A campaign is one share on which runs are killed one after the other, one to four of
them, and then a drain that is left alone, while a consumer takes whatever arrives at
once. A moment is a seeded part of the time that an undisturbed run takes, or the
appearance of the N-th entry in one of the share's folders, and kills the coordinator,
one worker, all workers, or all of them.
The seed of each campaign is the sweep's seed and its number: `--only N` repeats one.
Stopped by Ctrl-C or SIGTERM, a sweep tells what it has.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(ROOT), str(ROOT / "core")]

import psutil
from dropped_files import content, odd_name
from relayed_share import (
    Consumer,
    RelayedShare,
    counted,
    files_below,
    finish,
    memory_folder,
    workers_of,
)

RUNS_MAX = 4
FILES = 60
TARGETS = ("coordinator", "coordinator", "worker", "all workers", "all at once")
_PROBE = re.compile(r"(\.paxect|inbox|wire)/(.+/)?\.paxect-[0-9a-f]{16}\.tmp")
FOLDERS = ("stage", "intents", "claims", "wire", "ledger", "consumer")


@dataclass
class Sweep:
    """What a sweep did and found."""

    moments: int = 0
    missed: int = 0
    """Moments that never came, since the run was over before."""
    campaigns: int = 0
    probes: int = 0
    """Files of a moment that a killed process had made; they go when they are old."""
    by_kind: Counter = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the figures."""
        kinds = ", ".join(f"{name} {n}" for name, n in sorted(self.by_kind.items()))
        return (
            f"{self.moments} moments in {self.campaigns} campaigns ({self.missed} more "
            f"came after the run's end); {kinds}; {self.probes} probes left; "
            f"{len(self.findings)} findings"
        )


def sweep(
    folder: Path,
    *,
    moments: int,
    seed: int,
    only: int | None = None,
    done: Sweep | None = None,
) -> Sweep:
    """Kill at that many moments; `done` is filled meanwhile."""
    done = Sweep() if done is None else done
    seconds = _measured_seconds(folder / "measured")
    number = 0
    while done.moments < moments:
        if only is None or number == only:
            place = folder / f"campaign-{number}"
            found = _campaign(place, random.Random(f"{seed}/{number}"), seconds, done)
            done.findings += [f"campaign {number}: {text}" for text in found]
            shutil.rmtree(place)
            done.campaigns += 1
            if only is not None:
                break
        number += 1
    return done


def _campaign(
    folder: Path, dice: random.Random, seconds: float, done: Sweep
) -> list[str]:
    share = RelayedShare.lay_out(folder / "share")
    for number in range(FILES):
        large = number % 4 == 0  # so that a run has several lots
        size = dice.randrange((1 << 20) + 1, 3 << 19) if large else dice.randrange(9000)
        share.drop(odd_name(dice, number), content(dice, size))
    found = []
    with Consumer(share, folder / "taken") as consumer:
        for _ in range(dice.randrange(1, RUNS_MAX + 1)):
            found += _killed_run(share, consumer, dice, seconds, done)
        run = share.drain()
    if run.code != 0 or run.audit["waiting"]["files"]:
        found.append(f"the last drain ended with {run.code}: {run.err} {run.out}")
    if not run.sum_closes:
        found.append(f"the sum does not close: {run.out}")
    found += counted(consumer.found, share.dropped)
    for crumb in share.crumbs():
        if _PROBE.fullmatch(crumb):
            done.probes += 1
        else:
            found.append(f"left behind: {crumb}")
    found += [f"orphan: {told}" for told in share.end_processes()]
    found += _told_otherwise(share)
    return found


def _killed_run(
    share: RelayedShare,
    consumer: Consumer,
    dice: random.Random,
    seconds: float,
    done: Sweep,
) -> list[str]:
    target = dice.choice(TARGETS)
    process = share.start()
    if dice.randrange(2):
        kind = "delay"
        came = _after(process, dice.uniform(0.1, 0.9) * seconds)
    else:
        kind = dice.choice(FOLDERS)
        came = _appeared(process, share, consumer, kind, dice.randrange(1, 16))
    if came:
        _kill(process, target, dice)
        done.moments += 1
        done.by_kind[f"{target} by {kind}"] += 1
    else:
        done.missed += 1
    run = finish(process)
    lives_on = came and target in ("worker", "all workers")
    if lives_on and (run.code != 0 or not run.sum_closes):
        return [f"{target} by {kind}: ended with {run.code}: {run.err} {run.out}"]
    return []


def _after(process: subprocess.Popen[str], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is None


def _appeared(
    process: subprocess.Popen[str],
    share: RelayedShare,
    consumer: Consumer,
    kind: str,
    number: int,
) -> bool:
    """Wait for the number-th new entry of a folder; False if the run ended before."""
    folder = share.wire if kind == "wire" else share.state / kind
    if kind in ("intents", "ledger"):
        number = number % 4 + 1  # there are not that many
    seen: set[bytes] = set()
    before = consumer.count
    while process.poll() is None:
        seen.update(files_below(folder))
        count = consumer.count - before if kind == "consumer" else len(seen)
        if count >= number:
            return True
        time.sleep(0.0005)
    return False


def _kill(process: subprocess.Popen[str], target: str, dice: random.Random) -> None:
    workers = workers_of(process)
    if target == "worker" and workers:
        workers = [dice.choice(workers)]
    if target in ("worker", "all workers", "all at once"):
        # Between two kills the coordinator could give an item of the first worker to
        # the second: an item that kills two workers is set aside.
        process.send_signal(signal.SIGSTOP)
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
        process.send_signal(signal.SIGCONT)
    if target in ("coordinator", "all at once"):
        process.kill()


def _told_otherwise(share: RelayedShare) -> list[str]:
    """Tell of each file that the ledgers do not have once each way."""
    delivered = [r for r in share.records() if r["fate"] == "delivered"]
    # Whoever finishes what another run began records it once more, durably; however
    # often, it counts once. That it arrived once is the consumer's to tell.
    ways = {(r["direction"], r["source"][1], str(r["identity"])) for r in delivered}
    if len(ways) == 2 * len(share.dropped):
        return []
    return [f"{len(ways)} records of {2 * len(share.dropped)} ways"]


def _measured_seconds(folder: Path) -> float:
    """Return how long an undisturbed run takes here."""
    folder.mkdir()
    share = RelayedShare.lay_out(folder / "share")
    dice = random.Random(0)
    for number in range(FILES):
        share.drop(odd_name(dice, number), content(dice, 400_000))
    start = time.monotonic()
    run = share.drain()
    assert run.code == 0, run.err
    shutil.rmtree(folder)
    return time.monotonic() - start


def main() -> int:
    """Sweep, print the figures and what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="repeat this campaign alone")
    words = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="paxect-kills-", dir=memory_folder()))
    done = Sweep()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sweep(
            folder,
            moments=words.moments,
            seed=words.seed,
            only=words.only,
            done=done,
        )
    except KeyboardInterrupt:
        print("stopped before its end")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"seed {words.seed}: {done.text()}")
    for text in done.findings:
        print(text)
    return 1 if done.findings else 0


if __name__ == "__main__":
    sys.exit(main())
