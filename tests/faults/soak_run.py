"""A soak: nodes live, die, freeze and come back on one folder, for as long as told.

Once a minute everybody is left in peace until all that was dropped has arrived; what
the nodes hold then must not grow from the first time to the last.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from relayed_share import files_below, memory_folder
from several_nodes import left_of_nodes, shared
from soak_measure import (
    MIB,
    Rest,
    entries_of,
    growth,
    measure,
    momentary_files,
    quarantined,
)
from soak_nodes import STEADY, Nodes
from soak_traffic import Account, Producers, TakingConsumer

LEASE_SECONDS = 2.0
_TURN_SECONDS = 0.05
_REST_SECONDS_MAX = 300.0
_WORK_SECONDS = 50.0
"""How long everybody works between two moments of rest."""
_OLD_SECONDS = 7200.0
_COLUMNS = (
    ("minute", 6),
    ("dropped", 8),
    ("taken", 8),
    ("MiB", 8),
    ("started", 8),
    ("killed", 7),
    ("frozen", 7),
    ("over", 6),
    ("anew", 6),
    ("memory", 7),
    ("fds", 5),
    ("state", 6),
    ("ledgers", 8),
)


class Soak:
    """One soak on a share of its own."""

    def __init__(
        self, ground: Path, *, seed: int, nodes: int, rate: float, harm: float
    ) -> None:
        self._harm_seconds = harm
        self._dice = random.Random(seed)
        self._share = shared(ground / "share", lease_seconds=LEASE_SECONDS)
        said = ground / "said"
        said.mkdir()
        names = [STEADY, *(f"node{number}" for number in range(1, nodes))]
        self._names = names
        self.account = Account()
        self._producers = Producers(self._share, self.account, seed=seed + 1, rate=rate)
        self._consumer = TakingConsumer(self._share, self.account, ground / "taken")
        self.nodes = Nodes(self._share, said, names=names, seed=seed + 2)
        self.rests: list[Rest] = []
        self.wrong: list[str] = []
        self.twice_recorded = 0
        self._start = time.monotonic()

    def run(self, seconds: float) -> None:
        """Soak for that long, then see to it that nothing is missing nor left."""
        self._producers.start()
        self._consumer.start()
        until = self._start + seconds
        try:
            while time.monotonic() < until and not self.all_wrong():
                self._work(min(until, time.monotonic() + _WORK_SECONDS))
                self._rest()
        finally:
            self._producers.stop()
            self.nodes.recall()
            self.nodes.stop()
            self._consumer_stops()
        if not self.all_wrong():
            self.wrong += growth(self.rests)
            self._check_end()

    def all_wrong(self) -> list[str]:
        """Return all that was found to be wrong."""
        return [*self.account.wrong, *self.nodes.wrong, *self.wrong]

    def _consumer_stops(self) -> None:
        self._consumer.stop()
        # What was stopped when its coordinator was killed ends once it may go on.
        until = time.monotonic() + _REST_SECONDS_MAX
        while (orphans := self._share.processes()) and time.monotonic() < until:
            for orphan in orphans:
                with contextlib.suppress(psutil.Error):
                    orphan.resume()
            time.sleep(_TURN_SECONDS)
        left = self._share.end_processes()
        self.wrong += [f"still there: {told}" for told in left]

    def _work(self, until: float) -> None:
        harm_at = time.monotonic() + self._pause()
        while time.monotonic() < until:
            self.nodes.turn()
            if time.monotonic() >= harm_at:
                self.nodes.harm(LEASE_SECONDS)
                harm_at = time.monotonic() + self._pause()
            time.sleep(_TURN_SECONDS)

    def _pause(self) -> float:
        return self._dice.expovariate(1 / self._harm_seconds)

    def _rest(self) -> None:
        """Leave everybody in peace until all is quiet; then measure."""
        self._producers.pause()
        self.nodes.recall()
        for what, holds in (
            ("all that was dropped has arrived", lambda: not self.account.outstanding),
            ("the dead are buried", self._is_quiet),
        ):
            if not self._until(holds):
                self.wrong.append(f"it does not come to this: {what}; {self._told()}")
                return
        self._measure()
        self._producers.go_on()

    def _is_quiet(self) -> bool:
        """Tell whether every node is there, and no dead one is waited for."""
        state = self._share.state
        return (
            len(self.nodes.lives) == len(self._names)
            and not list((state / "over").glob("*"))
            and all((state / "nodes" / name / "lease").exists() for name in self._names)
            and not list((state / "attempts").glob("*"))
            and len(list((state / "quarantine").glob("*")))
            == self.account.garbage + len(self.account.aside)
        )

    def _until(self, holds: Callable[[], bool]) -> bool:
        until = time.monotonic() + _REST_SECONDS_MAX
        while not holds():
            if time.monotonic() > until or self.all_wrong():
                return False
            # A worker that is killed twice has its item set aside, and rightly so.
            if self.nodes.counts["worker killed"]:
                self.account.set_aside(quarantined(self._share))
            self.nodes.turn()
            time.sleep(_TURN_SECONDS)
        return True

    def _told(self) -> str:
        said = {node: life.said()[-500:] for node, life in self.nodes.lives.items()}
        owed = self.account.owed()[:10]
        return f"owed {owed}; {entries_of(self._share.state)}; {said}"

    def _measure(self) -> None:
        rest = measure(
            self._share,
            self.nodes.lives[STEADY].process.pid,
            minutes=round((time.monotonic() - self._start) / 60, 1),
            dropped=self.account.dropped,
            taken=self.account.taken,
            taken_bytes=self.account.taken_bytes,
        )
        rest.counts = dict(self.nodes.counts)
        self.rests.append(rest)
        tell(rest)

    def _check_end(self) -> None:
        """See that nothing is missing nor left once everybody was there once more."""
        # What killed processes left for a moment, and batches whose last node was
        # killed, are swept once they are an hour old.
        old = time.time() - _OLD_SECONDS
        notes = map(os.fsdecode, files_below(self._share.state / "batches"))
        for path in [*momentary_files(self._share), *notes]:
            os.utime(path, (old, old))
        for name in self._names:
            self.nodes.drain(name)
        self.wrong += [f"owed: {name}" for name in self.account.owed()]
        left = [
            crumb
            for crumb in self._share.crumbs()
            if not crumb.startswith(os.path.join(".paxect", "quarantine"))
        ]
        left += left_of_nodes(self._share)
        self.wrong += [f"left behind: {crumb}" for crumb in left[:20]]
        self._check_ledgers()
        run = subprocess.run(
            self._share.command("manifest"),
            env=self._share.environment(),
            capture_output=True,
            check=False,
        )
        if run.returncode != 0:
            self.wrong.append(f"manifest gave {run.returncode}: {run.stderr!r}")

    def _check_ledgers(self) -> None:
        """Hold what the nodes wrote down against what was dropped and taken."""
        told: dict[str, list[tuple[bytes, str]]] = {"encode": [], "decode": []}
        for record in self._share.records():
            if record["fate"] == "delivered":
                _, path = record["source"]
                name = path.removesuffix(".freq").encode("utf-8", "surrogateescape")
                told[record["direction"]].append((name, record["raw_sha256"]))
        taken = self.account.deliveries()
        for direction, found in told.items():
            self.twice_recorded += len(found) - len(set(found))
            missing = taken - set(found)
            more = set(found) - taken - self.account.aside
            if missing or more:
                self.wrong.append(
                    f"{direction}: {len(missing)} not recorded, {len(more)} recorded "
                    f"and not taken: {sorted(missing)[:3]} {sorted(more)[:3]}"
                )


def tell(rest: Rest) -> None:
    """Print a line of the table."""
    counts = rest.counts
    values = (
        f"{rest.minutes:.1f}",
        rest.dropped,
        rest.taken,
        rest.taken_bytes // MIB,
        counts.get("started", 0),
        sum(n for name, n in counts.items() if "killed" in name),
        sum(n for name, n in counts.items() if "frozen" in name),
        counts.get("taken over", 0),
        counts.get("begun anew", 0),
        rest.memory_bytes // MIB,
        rest.descriptors,
        rest.flat,
        rest.state.get("ledger", 0),
    )
    print(
        "".join(f"{v:>{w}}" for v, (_, w) in zip(values, _COLUMNS, strict=True)),
        flush=True,
    )


def main(words: list[str] | None = None) -> int:
    """Soak as asked for; print a table and JSON; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("minutes", type=float, help="how long; 5 is the usual check")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--rate", type=float, default=4.0, help="files a second")
    parser.add_argument("--harm", type=float, default=4.0, help="seconds between harms")
    asked = parser.parse_args(words)
    if min(asked.nodes, asked.minutes, asked.rate, asked.harm) <= 0:
        parser.error("minutes, --nodes, --rate and --harm are above nothing")
    ground = Path(tempfile.mkdtemp(prefix="paxect-soak-", dir=memory_folder()))
    print(
        f"seed {asked.seed}, {asked.nodes} nodes, lease {LEASE_SECONDS} s", flush=True
    )
    print("".join(f"{name:>{width}}" for name, width in _COLUMNS), flush=True)
    soak = Soak(
        ground,
        seed=asked.seed,
        nodes=asked.nodes,
        rate=asked.rate,
        harm=asked.harm,
    )
    soak.run(asked.minutes * 60)
    wrong = soak.all_wrong()
    outcome = {
        "seed": asked.seed,
        "nodes": asked.nodes,
        "minutes": asked.minutes,
        "dropped": soak.account.dropped,
        "dropped_bytes": soak.account.dropped_bytes,
        "taken": soak.account.taken,
        "taken_bytes": soak.account.taken_bytes,
        "garbage_set_aside": soak.account.garbage,
        "killed_set_aside": len(soak.account.aside),
        "recorded_twice": soak.twice_recorded,
        "done": dict(soak.nodes.counts),
        "first": soak.rests[0].as_dict() if soak.rests else None,
        "last": soak.rests[-1].as_dict() if soak.rests else None,
        "wrong": wrong,
    }
    print(json.dumps(outcome, sort_keys=True))
    if wrong:
        print(f"what is left of it lies in {ground}", file=sys.stderr)
        return 1
    shutil.rmtree(ground)
    return 0
