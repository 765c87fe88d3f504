"""What a soak holds at a moment of rest, and whether it stayed the same."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from relayed_share import RelayedShare, files_below

import paxect_core

MIB = 1 << 20

_GROWS = ("ledger", "quarantine", "batches", "runs", "settings", "log")
"""Folders of the state that keep something for each run, item set aside, or event."""
_MEMORY_GROWTH_BYTES_MAX = 24 * MIB
_BYTES_FOR_A_FILE = 250
"""What a run may remember of each delivered file; see docs/guarantees.md."""
_SLACK = {"descriptors": 32, "threads": 8, "processes": 8, "flat": 8}
"""What may be in use for a moment; of folders, up to 64 are kept open."""


@dataclass
class Rest:
    """One moment of rest."""

    minutes: float
    dropped: int
    taken: int
    taken_bytes: int
    memory_bytes: int
    """Of the steady node and its workers (PSS)."""
    descriptors: int
    """Of the steady node and its workers."""
    threads: int
    processes: int
    """Of all nodes together."""
    state: dict[str, int]
    """Files and folders below `.paxect/`, by its folders."""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def flat(self) -> int:
        """How many entries lie where nothing may stay."""
        return sum(n for name, n in self.state.items() if name not in _GROWS)

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"flat": self.flat}


def measure(
    share: RelayedShare, steady: int, *, minutes: float, **account: int
) -> Rest:
    """Look at the share, and at the process of the steady node."""
    tree = [psutil.Process(steady), *psutil.Process(steady).children()]
    return Rest(
        minutes=minutes,
        memory_bytes=sum(_held_bytes(each) for each in tree),
        descriptors=sum(each.num_fds() for each in tree),
        threads=sum(each.num_threads() for each in tree),
        processes=len(share.processes()),
        state=entries_of(share.state),
        **account,
    )


def entries_of(state: Path) -> dict[str, int]:
    """Count files and folders below the state folder, momentary ones apart."""
    found: Counter[str] = Counter()
    for above, folders, names in os.walk(state):
        top = os.path.relpath(above, state).partition(os.sep)[0]
        # `.paxect-*.tmp` of killed processes stay for an hour.
        found[top] += len(folders) + sum(not is_momentary(name) for name in names)
    return {name: number for name, number in sorted(found.items()) if number}


def momentary_files(share: RelayedShare) -> list[str]:
    """Return files that a killed process left, which are swept after an hour."""
    return sorted(
        os.fsdecode(path)
        for path in files_below(share.folder)
        if is_momentary(os.path.basename(os.fsdecode(path)))
    )


def quarantined(share: RelayedShare) -> set[str]:
    """Return the SHA-256 of each file that was set aside, as it was dropped."""
    found = set()
    for path in files_below(share.state / "quarantine"):
        with contextlib.suppress(OSError, paxect_core.PaxectError):
            data = Path(os.fsdecode(path)).read_bytes()
            if path.endswith(b".freq"):
                data = paxect_core.decode_bytes(data)
            found.add(hashlib.sha256(data).hexdigest())
    return found


def is_momentary(name: str) -> bool:
    return name.startswith(".paxect-") and name.endswith(".tmp")


def growth(rests: list[Rest]) -> list[str]:
    """Tell what is not flat from a quarter of the moments of rest to the last."""
    if len(rests) < 2:
        return []
    first, last = rests[len(rests) // 4], rests[-1]
    found = []
    allowed = _MEMORY_GROWTH_BYTES_MAX + _BYTES_FOR_A_FILE * (last.taken - first.taken)
    if last.memory_bytes > first.memory_bytes + allowed:
        found.append(
            f"memory grew from {first.memory_bytes // MIB} to "
            f"{last.memory_bytes // MIB} MiB"
        )
    for name, slack in _SLACK.items():
        before, after = getattr(first, name), getattr(last, name)
        if after > before + slack:
            found.append(f"{name} grew from {before} to {after}: {last.state}")
    return found


def _held_bytes(process: psutil.Process) -> int:
    told = process.memory_full_info()
    return getattr(told, "pss", 0) or told.rss
