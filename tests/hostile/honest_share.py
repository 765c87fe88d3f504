"""A share on which work is under way, with every kind of paper that a relay writes.

Three nodes were killed at it: `east` while it delivered, `south` while it encoded,
`west` likewise. Something was set aside, and something else is to be tried again. All
of it was written by the relay itself; copies of it keep what papers say of inodes.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import relay_in_thread

import paxect_core

ROOT = Path(__file__).resolve().parents[2]
NODE = "west"
"""The node that drains the share in the end."""

POLICY = (
    'version = "2"\nsettle_seconds = 0.0\nattempts = {attempts}\n'
    "backoff_seconds = 3600.0\ncarry_times = true\ncarry_mode = true\n"
)
LEASE_SECONDS = 0.5

_KILLED = """
import os, signal, sys
from paxect_batch.cli import main, wiring
from paxect_batch.model.places import Root
from paxect_batch.world.share import LocalShare
from relay_in_thread import ThreadPool

def rename_new(self, source, target, rename=LocalShare.rename_new):
    if target.root == sys.argv[3] and target.path.endswith(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(self, source, target)

LocalShare.rename_new = rename_new
wiring.WorkerPool = ThreadPool
main.main(["drain", "--quiet", "--node", *sys.argv[1:3]])
"""

KINDS = {
    "share marker": (".paxect/share.json",),
    "policy": (".paxect/policy.toml",),
    "node manifest": (".paxect/nodes/*/manifest.json",),
    "lease": (".paxect/nodes/*/lease",),
    "claim": (".paxect/claims/*.lock",),
    "intent": (".paxect/intents/*/*/*.json",),
    "ledger": (".paxect/ledger/*/*.jsonl",),
    "attempts": (".paxect/attempts/*.json",),
    "meta": (".paxect/meta/*.json",),
    "quarantine note": (".paxect/quarantine/*/reason.json",),
    "batch note": (".paxect/batches/*/*",),
    "paper of a run that is over": (".paxect/over/*",),
    "audit": (".paxect/runs/*/*.json",),
    "event log": (".paxect/log/*.jsonl",),
}
"""What there is to change, by patterns below the share."""


def content(name: str) -> bytes:
    """Return the honest bytes of a file; some fit into a frame, some take several."""
    chance = random.Random(name)
    return chance.randbytes(200) * chance.choice((1, 7, 60)) + name.encode()


class HonestShare:
    """The share, in a folder of its own; `copy` it to work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.honest: dict[str, bytes] = {}
        """Every honest file, by its path below the inbox."""
        self._lay_out()

    def _lay_out(self) -> None:
        self._relay("init", str(self.folder))
        marker = self.folder / ".paxect/share.json"
        text = marker.read_text().rstrip().removesuffix("}")
        marker.write_text(f'{text},\n "lease_seconds": {LEASE_SECONDS}\n}}\n')
        self._set_policy(attempts=1)
        self._drop("done/one.txt")
        self._put_bad("bad.freq")
        self._relay("drain", "--quiet", "--node", NODE, str(self.folder))
        self._set_policy(attempts=3)
        self._put_bad("worse.freq")
        self._drop("two.bin")
        self._relay("drain", "--quiet", "--node", "north", str(self.folder))
        killed = [
            self._kill("east", "outbox", "", "at the outbox.bin"),
            self._kill("south", "wire", ".freq", "on the wire.csv"),
            self._kill(NODE, "outbox", "", "own/unfinished.txt"),
        ]
        for half, process in killed:
            _, told = process.communicate()
            assert process.returncode == -signal.SIGKILL, told
            _merge(half, self.folder)
            shutil.rmtree(half)
        self._end_one()
        self._drop("fresh.txt")
        self._drop("deep/er/fresh.json")
        self._put_container("sent.dat.freq")

    def _kill(
        self, node: str, root: str, suffix: str, name: str
    ) -> tuple[Path, subprocess.Popen[str]]:
        """Return a copy on which a node is killed once it has promised the file."""
        half = self.folder.with_name(f"half-{node}")
        copy(self.folder, half)
        self._drop(name, below=half)
        return half, _python("-c", _KILLED, node, str(half), root, suffix)

    def _end_one(self) -> None:
        """Have the lease of one of them ended by a run that died at it, too."""
        lease = self.folder / ".paxect/nodes/south/lease"
        run = re.search(rb'"run":"([^"]+)"', lease.read_bytes())
        assert run is not None
        over = self.folder / ".paxect/over"
        over.mkdir(exist_ok=True)
        lease.rename(over / f"{run[1].decode()}~20260101T000000000Z-abcdef")

    def _drop(self, name: str, *, below: Path | None = None) -> None:
        path = (below or self.folder) / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(name))
        self.honest[name] = content(name)

    def _put_container(self, name: str) -> None:
        raw = name.removesuffix(".freq")
        (self.folder / "wire" / name).write_bytes(
            paxect_core.encode_bytes(content(raw))
        )
        self.honest[raw] = content(raw)

    def _put_bad(self, name: str) -> None:
        (self.folder / "wire" / name).write_bytes(b"not a container")

    def _set_policy(self, *, attempts: int) -> None:
        text = POLICY.format(attempts=attempts)
        (self.folder / ".paxect/policy.toml").write_text(text)

    def _relay(self, *words: str) -> None:
        ended = relay_in_thread.run(*words)
        assert ended.code in (0, 1, 4), ended.err

    def papers(self, folder: Path | None = None) -> dict[str, list[Path]]:
        """Return what there is of each kind, in a copy or here."""
        below = folder or self.folder
        return {
            kind: sorted(path for each in patterns for path in below.glob(each))
            for kind, patterns in KINDS.items()
        }


def copy(source: Path, target: Path) -> None:
    """Copy a share, and let what papers say of its files' inodes be true of the copy."""
    shutil.copytree(source, target, symlinks=True)
    inodes: dict[bytes, bytes] = {}
    for path in _files_below(source):
        other = target / path.relative_to(source)
        inodes[b"%d" % path.stat().st_ino] = b"%d" % other.stat().st_ino
    _correct(target, inodes)


def _merge(half: Path, whole: Path) -> None:
    there = set(_files_below(whole))
    for path in _files_below(half):
        target = whole / path.relative_to(half)
        if target not in there:
            target.parent.mkdir(parents=True, exist_ok=True)
            # The same inode: papers speak of it.
            path.rename(target)
    for folder in half.rglob("*"):
        if folder.is_dir():
            (whole / folder.relative_to(half)).mkdir(parents=True, exist_ok=True)


def _correct(share: Path, inodes: dict[bytes, bytes]) -> None:
    for pattern in ("intents/*/*/*.json", "attempts/*.json", "ledger/*/*.jsonl"):
        for path in (share / ".paxect").glob(pattern):
            facts = path.stat()
            data = re.sub(
                rb'(?<="inode":)\d+',
                lambda m: inodes.get(m[0], m[0]),
                path.read_bytes(),
            )
            if pattern.startswith("intents"):
                paper, *_ = data.splitlines(keepends=True)
                data = paper + hashlib.sha256(paper).hexdigest().encode() + b"\n"
            path.write_bytes(data)
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _python(*words: str) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    path = os.pathsep.join((str(ROOT / "core"), str(ROOT), here))
    return subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
