"""Producers on one node that write slowly while another node drains."""

from __future__ import annotations

from concurrent.futures import Future

import oracle
from ground import Ground
from lab import Lab
from scenarios import WAIT, Verdict

PIECES = 12
PAUSE_SECONDS = 0.8
"""Less than the policy's settle time: with it, a pause is not taken for an end."""
SAFE = ("rename", "sync")
"""Ways of writing by which no half file may ever travel."""


def slow(lab: Lab) -> Verdict:
    """Files are written slowly, renamed in or synced piece by piece."""
    verdict = Verdict()
    ground = Ground(lab, "producer")
    ground.lay_out()
    ground.consume()
    writing: dict[str, Future[tuple[str, float]]] = {}
    for how in (*SAFE, "buffered"):
        name = f"{how}.txt"
        writing[name] = lab["node1"].ask(
            "produce",
            inbox=f"{ground.folder}/inbox",
            name=name,
            how=how,
            pieces=PIECES,
            pause=PAUSE_SECONDS,
        )
    while not all(each.done() for each in writing.values()):
        ground.finished(ground.drain("node2", *WAIT))
    for _ in range(3):
        ground.finished(ground.drain("node2", *WAIT))
    written = {name: each.result()[0] for name, each in writing.items()}
    silent = max(each.result()[1] for each in writing.values())
    came = ground.arrived()
    safe = {name: digest for name, digest in written.items() if name != "buffered.txt"}
    verdict.faults += oracle.arrivals(
        safe, [each for each in came if each[0] != "buffered.txt"]
    )
    verdict.faults += oracle.sums(ground.runs)
    verdict.figures.append(_buffered(written["buffered.txt"], came))
    verdict.figures.append(f"{len(ground.runs)} drains meanwhile")
    verdict.figures.append(f"nothing was written for {silent:.1f} s at most")
    return verdict


def _buffered(written: str, came: list[tuple[str, str]]) -> str:
    digests = [digest for path, digest in came if path == "buffered.txt"]
    what = "whole" if digests == [written] else f"NOT WHOLE ({len(digests)} times)"
    return f"a file written by plain buffered writes arrived {what}"
