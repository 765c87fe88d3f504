"""Changed containers and sidecars, dropped on a relay that runs, a hundred at a time.

A real `watch` with its worker processes. Every container must be delivered as what it
vouches for, or be set aside with a reason; and between them honest files must arrive.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import container_mutation
from honest_share import ROOT, content
from paper_mutation import Change, changed
from resident import Resident

import paxect_core
from paxect_batch.cli.init import lay_out

SECONDS_MAX = 900.0
"""When the relay is said to hang; never how fast it has to be."""
CONTAINER_BYTES_MAX = 1 << 20
_POLICY = 'version = "2"\nsettle_seconds = 0.0\nattempts = 1\nbackoff_seconds = 0.0\n'
_RAW = (*(content(f"raw {number}") for number in range(12)), b"", b"x")
_SIDECAR_CHANGES = (
    *(Change.FLIP, Change.TRUNCATE, Change.DUPLICATE, Change.EMPTY, Change.UTF8),
    *(Change.SPLICE, Change.NUMBER),
)


@dataclass
class Campaign:
    """What became of all that was dropped."""

    kinds: Counter[str] = field(default_factory=Counter)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each kind ended how: `delivered`, or the code of the refusal."""
    faults: list[str] = field(default_factory=list)
    peak_bytes: int = 0
    honest_files: int = 0


@dataclass(frozen=True)
class _Drop:
    kind: str
    container: bytes
    sidecar: bytes | None

    def is_honest(self, raw: bytes) -> bool:
        """Tell whether the raw bytes are what container and sidecar vouch for."""
        if self.sidecar is not None:
            first = (self.sidecar.split(None, 1) or [b""])[0].lower()
            if first != hashlib.sha256(self.container).hexdigest().encode():
                return False
        # The last 44 bytes, which no reader of ours is asked about.
        total = int.from_bytes(self.container[-44:-36], "little")
        digest = self.container[-32:]
        return (len(raw), hashlib.sha256(raw).digest()) == (total, digest)


def drop_of(seed: int) -> _Drop:
    """Return what is dropped by that seed."""
    chance = random.Random(seed)
    raw = chance.choice(_RAW)
    settings = paxect_core.Settings(
        level=chance.choice((1, 3)),
        channels=chance.choice((1, 1, 3)),
        frame_bytes=chance.choice((512, 4096, 1 << 20)),
    )
    honest = paxect_core.encode_bytes(raw, settings)
    sidecar = hashlib.sha256(honest).hexdigest().encode() + b"\n"
    kind = chance.choice(("container", "container with its sidecar", "sidecar"))
    if kind == "sidecar":
        what = chance.choice(_SIDECAR_CHANGES)
        return _Drop(kind, honest, changed(sidecar, what, chance, partner=honest))
    scramble = lambda data, size: container_mutation.flip(data, size, chance)  # noqa: E731
    other = container_mutation.mutate(honest, CONTAINER_BYTES_MAX, seed, scramble)
    return _Drop(kind, other, sidecar if kind.endswith("sidecar") else None)


def run_campaign(folder: Path, *, first: int, count: int) -> Campaign:
    """Drop that many on a relay below the folder, which is new."""
    return _Running(folder, first, count).result()


class _Running:
    def __init__(self, folder: Path, first: int, count: int) -> None:
        self._share = folder / "share"
        self._seeds = range(first, first + count)
        self._campaign = Campaign()
        self._honest: dict[str, bytes] = {}

    def result(self) -> Campaign:
        lay_out(str(self._share))
        (self._share / ".paxect/policy.toml").write_text(_POLICY)
        words = (
            *("watch", "--quiet", "--node", "n", "--workers", "2"),
            *("--poll-seconds", "0.1"),
        )
        with (self._share.parent / "stderr").open("wb") as told:
            process = subprocess.Popen(
                [sys.executable, "-m", "paxect_batch", *words, str(self._share)],
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'core'}{os.pathsep}{ROOT}"},
                stdout=subprocess.PIPE,
                stderr=told,
            )
        try:
            with Resident(process.pid) as resident:
                self._drop_all(process)
                self._wait(process)
                process.send_signal(signal.SIGTERM)
                out, _ = process.communicate(timeout=SECONDS_MAX)
            self._campaign.peak_bytes = resident.peak_bytes
        finally:
            process.kill()
            process.communicate()
        self._check_end(process.returncode, out.decode().splitlines())
        self._check_drops()
        return self._campaign

    def _drop_all(self, process: subprocess.Popen[bytes]) -> None:
        for seed in self._seeds:
            drop = drop_of(seed)
            self._campaign.kinds[drop.kind] += 1
            name = f"{seed % 97}/{seed}.freq"
            if drop.sidecar is not None:
                self._put("wire", f"{name}.sha256", drop.sidecar)
            self._put("wire", name, drop.container)
            if seed % 20 == 0:
                self._honest[f"honest-{seed}"] = content(f"honest-{seed}")
                self._put("inbox", f"honest-{seed}", content(f"honest-{seed}"))
            if seed % 100 == 99:
                self._wait(process, left_max=200)

    def _put(self, root: str, name: str, data: bytes) -> None:
        path = self._share / root / name
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        part.rename(path)

    def _wait(self, process: subprocess.Popen[bytes], *, left_max: int = 0) -> None:
        """Wait until no more than that many are left to the relay."""
        until = time.monotonic() + SECONDS_MAX
        while self._left() > left_max:
            if process.poll() is not None:
                return
            assert time.monotonic() < until, "the relay hangs"
            time.sleep(0.05)

    def _left(self) -> int:
        return sum(
            name.endswith(".freq") or root == "inbox"
            for root in ("wire", "inbox")
            for _, _, names in os.walk(self._share / root)
            for name in names
        )

    def _check_end(self, code: int, lines: list[str]) -> None:
        told = (self._share.parent / "stderr").read_text(errors="replace")
        if code != 128 + signal.SIGTERM or "Traceback" in told or "fault in" in told:
            self._fault(f"it ended with {code} and said: {told[-2000:]}")
        audit = json.loads(lines[-1].partition("=")[2]) if lines else {}
        parts = ("delivered", "set_aside", "blocked", "waiting")
        if not audit or any(
            audit["seen"][unit] != sum(audit[part][unit] for part in parts)
            for unit in ("files", "bytes")
        ):
            self._fault(f"the sum does not close: {audit}")

    def _check_drops(self) -> None:
        codes = self._codes()
        for seed in self._seeds:
            drop = drop_of(seed)
            name = f"{seed % 97}/{seed}"
            arrived = self._share / "outbox" / name
            end = codes.get(f"{name}.freq", "")
            if arrived.exists():
                if end:
                    self._fault(f"seed {seed} was delivered, and refused as {end}")
                if not drop.is_honest(arrived.read_bytes()):
                    self._fault(f"seed {seed} was delivered with other bytes")
                end = "delivered"
            if not end:
                self._fault(f"seed {seed} was neither delivered nor refused")
            self._campaign.ends[drop.kind, end] += 1
        for name, data in self._honest.items():
            arrived = self._share / "outbox" / name
            if not arrived.exists() or arrived.read_bytes() != data:
                self._fault(f"{name} did not arrive")
        self._campaign.honest_files = len(self._honest)

    def _codes(self) -> dict[str, str]:
        """Return why each item was set aside, by its place on the wire."""
        found = {}
        for path in (self._share / ".paxect/quarantine").glob("*/reason.json"):
            reason = json.loads(path.read_bytes())
            if not reason["code"] or not reason["detail"]:
                self._fault(f"refused without a reason: {reason}")
            found[reason["source"][1]] = reason["code"]
        return found

    def _fault(self, text: str) -> None:
        self._campaign.faults.append(text)
