"""The batch digest that one node alone gives, on this machine, for the same files."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import drops


@functools.cache
def digest(relay: Path, seed: int, count: int, policy: str) -> str:
    """Relay the files of a seed through a local folder, and return the digest."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="paxect-lab-", dir=memory) as folder:
        share = Path(folder) / "share"
        _relay(relay, "init", str(share), "--quiet")
        (share / ".paxect/policy.toml").write_text(policy)
        for path, data in drops.files(seed, count):
            target = share / "inbox" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        _relay(relay, "drain", str(share), "--node", "alone", "--quiet")
        found: str = json.loads(_relay(relay, "manifest", str(share), "--json"))[
            "batch_digest"
        ]
    return found


def _relay(relay: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "paxect_batch", *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(relay)},
    ).stdout
