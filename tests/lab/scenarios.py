"""What nodes go through in the lab; each scenario tells its figures and its faults.

A scenario starts on a share of its own, does its harm while nodes drain, lets every node
drain once more, and then asks the oracle. It returns no fault if all is as it must be.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import oracle
from ground import POLICY, Ground, Job
from guest import Guest
from lab import SERVER, SHARE_ON_SERVER, Lab
from one_node import digest as one_node_digest
from oracle import Run

WAIT = ("--wait",)
"""Has a drain go on until the whole share is done, whoever does it."""
LEASE_SECONDS = 10.0
"""The relay's own lease, as its shares are laid out by default."""
SLACK_SECONDS = 2.0
OUTAGE_SECONDS = LEASE_SECONDS + 8.0
WATCH_SECONDS = 90.0

_WATCHED = ("wire", "wire", ".paxect/stage", ".paxect/claims", ".paxect/intents")


@dataclass
class Verdict:
    """What came of a scenario."""

    figures: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, where: str, faults: Iterator[str]) -> None:
        """Note what was found somewhere."""
        self.faults += [f"{where}: {fault}" for fault in faults]


Scenario = Callable[[Lab], Verdict]
Gone = list[tuple[str, float]]
"""What a node had when it died, and when each was taken from it; -1 if never."""


def sharing(lab: Lab) -> Verdict:
    """All nodes drain together."""
    verdict = Verdict()
    files = lab.setting.scale.files
    ground = _ground(lab, "sharing", 1, files)
    began = time.monotonic()
    runs = ground.finished(*(ground.drain(node, *WAIT) for node in lab.nodes))
    seconds = time.monotonic() - began
    shares = ", ".join(
        f"{run.node} {run.audit['delivered']['files']}" for run in runs if run.audit
    )
    verdict.figures.append(f"{files} files in {seconds:.0f} s; delivered: {shares}")
    verdict.faults += [
        f"{run.node} ended with {run.code}: {run.err[-300:]}"
        for run in runs
        if run.code
    ]
    verdict.add("after it", _faults(ground, 1, files))
    return verdict


def consumer(lab: Lab) -> Verdict:
    """A third machine takes files from the outbox the moment they appear."""
    verdict = Verdict()
    files = lab.setting.scale.files // 4
    ground = _ground(lab, "consumer", 2, files)
    taker = lab.nodes[-1]
    ground.consume(taker)
    ground.finished(*(ground.drain(node, *WAIT) for node in lab.nodes[:-1]))
    verdict.figures.append(f"{files} files, taken by {taker}")
    verdict.add("after it", _faults(ground, 2, files))
    return verdict


def keep(lab: Lab) -> Verdict:
    """Sources stay, and a third machine takes what arrives the moment it does."""
    verdict = Verdict()
    files = lab.setting.scale.files // 4
    ground = Ground(lab, "keep-3", policy=f'{POLICY}on_done = "keep"\n')
    ground.lay_out()
    ground.drop(3, files)
    taker = lab.nodes[-1]
    ground.consume(taker)
    for _ in range(2):
        ground.finished(*(ground.drain(node, *WAIT) for node in lab.nodes[:-1]))
    verdict.figures.append(f"{files} files that stay, taken by {taker}")
    expected = one_node_digest(lab.relay, 3, files, ground.policy)
    faults = ground.faults(expected, *lab.nodes, stays=("inbox/", "wire/"))
    verdict.add("after it", faults)
    return verdict


def power(lab: Lab) -> Verdict:
    """One node of two loses power, at seeded moments."""
    verdict = Verdict()
    taken: list[Gone] = []
    for seed in range(lab.setting.scale.moments):
        ground, jobs, moment = _at_a_moment(lab, "power", seed)
        watch = ground.lose("node1", WATCH_SECONDS)
        lost = time.monotonic()
        with ThreadPoolExecutor(1) as hand:
            booted = hand.submit(lab.boot, "node1")
            ended = ground.finished(jobs["node2"])
            survivor_seconds = time.monotonic() - lost
            booted.result()
        verdict.add(moment, _unlike(ended, {0}))
        taken.append(watch.result(WATCH_SECONDS + 60))
        verdict.add(moment, _takeover(taken[-1], survivor_seconds))
        verdict.add(moment, _last_drain(ground, seed))
    verdict.figures += [f"{lab.setting.scale.moments} moments", _told_taken(taken)]
    return verdict


def cut(lab: Lab) -> Verdict:
    """One node's network is cut for longer than the lease while it works, and healed."""
    # What the node was about to do may have failed with its network.
    return _outages(lab, "cut", Guest.cut, Guest.heal, codes={0, 3})


def freeze(lab: Lab) -> Verdict:
    """One node is frozen for longer than the lease while it works, and thawed."""
    return _outages(lab, "freeze", Guest.freeze, Guest.thaw, codes={0})


def _outages(
    lab: Lab,
    name: str,
    begin: Callable[[Guest], None],
    end: Callable[[Guest], None],
    *,
    codes: set[int],
) -> Verdict:
    verdict = Verdict()
    taken: list[Gone] = []
    ends = []
    for seed in range(100, 100 + lab.setting.scale.outages):
        ground, jobs, moment = _at_a_moment(lab, name, seed)
        begin(lab["node1"])
        watch = ground.watch_held("node1", WATCH_SECONDS)
        time.sleep(OUTAGE_SECONDS)
        end(lab["node1"])
        ended = ground.finished(*jobs.values())
        ends.append("/".join(str(run.code) for run in ended))
        verdict.add(moment, _unlike(ended, codes))
        taken.append(watch.result(WATCH_SECONDS + 60))
        verdict.add(moment, _takeover(taken[-1]))
        verdict.add(moment, _last_drain(ground, seed))
    verdict.figures += [
        f"{lab.setting.scale.outages} outages of {OUTAGE_SECONDS:.0f} s",
        f"exit codes {', '.join(ends)}",
        _told_taken(taken),
    ]
    return verdict


def service(lab: Lab) -> Verdict:
    """The file service is ended and started again in the middle."""
    return _server_trouble(lab, "service", 200, lab.restart_service)


def server(lab: Lab) -> Verdict:
    """The file server loses power in the middle and boots again."""

    def trouble() -> None:
        lab.kill(SERVER)
        lab.boot(SERVER)

    return _server_trouble(lab, "server", 300, trouble, consumed=False)


def _server_trouble(
    lab: Lab,
    name: str,
    seed: int,
    trouble: Callable[[], None],
    *,
    consumed: bool = True,
) -> Verdict:
    verdict = Verdict()
    ground, jobs, moment = _at_a_moment(lab, name, seed, consumed=consumed)
    trouble()
    ended = ground.finished(*jobs.values())
    codes = ", ".join(f"{run.node} {run.code}" for run in ended)
    verdict.figures.append(f"exit codes: {codes}")
    verdict.add(moment, _last_drain(ground, seed))
    return verdict


def full(lab: Lab) -> Verdict:
    """The share is full in the middle, and has room again after the runs."""
    verdict = Verdict()
    ground, jobs, moment = _at_a_moment(lab, "full", 400)
    filler = f"{SHARE_ON_SERVER}/filler"
    lab.server.do("fill", path=filler, leave_bytes=16 << 10)
    ended = ground.finished(*jobs.values())
    lab.server.do("remove", path=filler)
    for run in ended:
        verdict.figures.append(f"{run.node} ended with {run.code}")
        if run.audit and run.audit["set_aside"]["files"]:
            verdict.faults.append(
                f"{moment}: {run.node} set files aside for a full share"
            )
    verdict.add(moment, _last_drain(ground, 400))
    return verdict


def _ground(lab: Lab, name: str, seed: int, count: int) -> Ground:
    ground = Ground(lab, f"{name}-{seed}")
    ground.lay_out()
    ground.drop(seed, count)
    return ground


def _at_a_moment(
    lab: Lab, name: str, seed: int, *, consumed: bool = True
) -> tuple[Ground, dict[str, Job], str]:
    """Have two nodes drain, and return in the middle of it."""
    dice = random.Random(seed)
    ground = _ground(lab, name, seed, lab.setting.scale.files_of_a_moment)
    if consumed:
        ground.consume()
    watched = dice.choice(_WATCHED)
    # There are few intents, each for a lot.
    most = (
        3
        if watched.endswith("intents")
        else lab.setting.scale.files_of_a_moment * 2 // 3
    )
    count = dice.randint(1, most)
    jobs = {node: ground.drain(node, *WAIT) for node in ("node1", "node2")}
    came = ground.await_files(watched, count)
    moment = f"seed {seed}, {count} seen in {watched}"
    return ground, jobs, moment if came else f"{moment} (never came)"


def _last_drain(ground: Ground, seed: int) -> Iterator[str]:
    for run in ground.finished(*(ground.drain(n, *WAIT) for n in ("node1", "node2"))):
        if run.code != 0:
            yield f"the last drain on {run.node} ended with {run.code}: {run.err}"
    count = ground.lab.setting.scale.files_of_a_moment
    yield from _faults(ground, seed, count)


def _faults(ground: Ground, seed: int, count: int) -> Iterator[str]:
    expected = one_node_digest(ground.lab.relay, seed, count, POLICY)
    yield from ground.faults(expected, *ground.lab.nodes)


def _unlike(runs: list[Run], codes: set[int]) -> Iterator[str]:
    for run in runs:
        if run.code not in codes:
            yield f"{run.node} ended with {run.code}: {run.err[-300:]}"


def _told_taken(taken: list[Gone]) -> str:
    leases = [oracle.lease_taken(gone) for gone in taken]
    known = [seconds for seconds in leases if seconds is not None]
    last = max((seconds for gone in taken for _, seconds in gone), default=0.0)
    lease = f"{min(known):.1f} to {max(known):.1f} s" if known else "never"
    return f"lease taken after {lease}, the last of its things after {last:.1f} s"


def _takeover(gone: Gone, survivor_seconds: float = math.inf) -> Iterator[str]:
    yield from oracle.takeover(
        gone,
        lease_seconds=LEASE_SECONDS,
        slack_seconds=SLACK_SECONDS,
        survivor_seconds=survivor_seconds,
    )
