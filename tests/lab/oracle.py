"""What must be true when a lab's scenario is over; pure.

Every dropped file arrived exactly once with its bytes, every sum closes, every node
gives the digest of a one-node run, and nothing lies where nothing should.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

AUDIT = "AUDIT_SUMMARY_JSON="
PARTS = ("delivered", "set_aside", "blocked", "waiting")
_MOMENTARY = re.compile(r"(?:^|/)(?:\.paxect|inbox|wire)/(?:.*/)?\.paxect-[^/]+\.tmp$")
_OF_NO_ITEM = re.compile(r"(?:^|/)(?:lease|[^/]+\.run)$")
"""What a node has as long as it lives, and shares with nobody."""
TOLD_MAX = 5
"""How many faults of one kind are told by name."""


@dataclass(frozen=True)
class Run:
    """One drain that came to its end: who, exit status, and what it printed."""

    node: str
    code: int
    out: str
    err: str

    @property
    def audit(self) -> dict[str, Any] | None:
        """What the audit line says; None if the last line is none."""
        lines = self.out.splitlines()
        if not lines or not lines[-1].startswith(AUDIT):
            return None
        found: dict[str, Any] = json.loads(lines[-1].removeprefix(AUDIT))
        return found


def arrivals(
    dropped: Mapping[str, str], arrived: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Tell of files that did not arrive exactly once and whole."""
    came = [(path, digest) for path, digest in arrived]
    times = Counter(path for path, _ in came)
    yield from _some("lost", [path for path in dropped if path not in times])
    yield from _some("arrived twice", [path for path, n in times.items() if n > 1])
    yield from _some("never dropped", [path for path in times if path not in dropped])
    others = [path for path, digest in came if dropped.get(path, digest) != digest]
    yield from _some("arrived with other bytes", others)


def sums(runs: Iterable[Run]) -> Iterator[str]:
    """Tell of runs whose audit line is missing or does not add up."""
    for run in runs:
        audit = run.audit
        if audit is None:
            yield f"no audit line from {run.node}, exit {run.code}: {run.err[-500:]}"
            continue
        for unit in ("files", "bytes"):
            parts = sum(audit[part][unit] for part in PARTS)
            if audit["seen"][unit] != parts:
                yield f"{run.node}: saw {audit['seen'][unit]} {unit}, tells of {parts}"
        if audit["exit_code"] != run.code:
            yield f"{run.node}: exit {run.code}, its audit says {audit['exit_code']}"
        if audit["bias_flags"]:
            yield f"{run.node}: {audit['bias_flags']} self-checks found other bytes"


def same_digest(expected: str, digests: Mapping[str, str]) -> Iterator[str]:
    """Tell of nodes whose batch digest is not that of a one-node run."""
    for node, digest in digests.items():
        if digest != expected:
            yield f"{node} gives batch digest {digest}, one node alone {expected}"


def left(crumbs: Iterable[str]) -> Iterator[str]:
    """Tell of what lies where nothing should.

    A file of a moment that a dead node left among the relay's own, or where it looks
    for items, is nobody's data and is swept when it is an hour old.
    """
    yield from _some("left behind", [p for p in crumbs if not _MOMENTARY.search(p)])


def takeover(
    gone: Iterable[tuple[str, float]],
    *,
    lease_seconds: float,
    slack_seconds: float,
    survivor_seconds: float = math.inf,
) -> Iterator[str]:
    """Tell of what a dead node had that nobody took, and of a lease taken too late.

    From the moment its lease is taken what it had is the rescuer's, who then needs time
    to finish it; so the lease alone is held to a time. A survivor who was done sooner
    than that could not know of the death, as no item was missing; who comes next takes
    the lease then.
    """
    taken = list(gone)
    never = [p for p, s in taken if s < 0 and not _MOMENTARY.search(p)]
    could_know = survivor_seconds > lease_seconds + slack_seconds
    if not could_know:
        never = [path for path in never if not _OF_NO_ITEM.search(path)]
    yield from _some("never taken from the dead node", never)
    seconds = lease_taken(taken)
    if could_know and seconds is not None and seconds > lease_seconds + slack_seconds:
        yield (
            f"the dead node's lease was taken after {seconds:.1f} s, the survivor was "
            f"done after {survivor_seconds:.1f} s"
        )


def lease_taken(gone: Iterable[tuple[str, float]]) -> float | None:
    """Return when the dead node's lease was taken; None if it had none, or never."""
    for path, seconds in gone:
        if path.endswith("/lease") and seconds >= 0:
            return seconds
    return None


def _some(what: str, paths: list[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - TOLD_MAX} more" if len(paths) > TOLD_MAX else ""
        yield f"{what}: {', '.join(sorted(paths)[:TOLD_MAX])}{more}"
