"""A share that real processes relay: what was dropped, what arrived, what is left.

`drain` runs the command to its end, `start` gives the running process. Every process
that descends from here bears a mark in its environment, by which it is found again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from paxect_batch.cli.init import lay_out

ROOT = Path(__file__).resolve().parents[2]
AUDIT = "AUDIT_SUMMARY_JSON="
MARK = "PAXECT_TEST_MARK"
COMMAND = (sys.executable, "-m", "paxect_batch")
NODE = "node"

LONG = bool(os.environ.get("PAXECT_TEST_LONG"))
"""Whether the long forms are asked for."""

SECONDS_MAX = 1800.0 if LONG else 120.0
"""When a process is said to hang; never how fast one has to be."""

CRUMBS = ("stage", "intents", "claims", "attempts", "meta", "quarantine")
"""Folders of the state that hold nothing once all is delivered."""

EAGER_POLICY = 'version = "2"\nsettle_seconds = 0.0\nbackoff_seconds = 0.0\n'


def memory_folder() -> str | None:
    """Return a folder in memory if there is one that may be written to."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None


@dataclass(frozen=True)
class Finished:
    """A process that came to its end."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output by lines."""
        return self.out.splitlines()

    @property
    def audit(self) -> dict:
        """What the audit line says, which must be the last line."""
        assert self.lines, f"no audit line; exit {self.code}; it said: {self.err}"
        assert self.lines[-1].startswith(AUDIT), self.out + self.err
        return json.loads(self.lines[-1].removeprefix(AUDIT))

    @property
    def sum_closes(self) -> bool:
        """Whether `seen = delivered + set aside + blocked + waiting`."""
        audit = self.audit
        parts = ("delivered", "set_aside", "blocked", "waiting")
        return all(
            audit["seen"][unit] == sum(audit[part][unit] for part in parts)
            for unit in ("files", "bytes")
        )


@dataclass
class RelayedShare:
    """One share below a folder."""

    folder: Path
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    dropped: dict[bytes, str] = field(default_factory=dict)
    """The SHA-256 of each dropped file, by its path below the inbox."""

    @classmethod
    def lay_out(cls, folder: Path, policy: str = EAGER_POLICY) -> RelayedShare:
        """Make a share of the folder."""
        lay_out(str(folder))
        share = cls(folder)
        share.set_policy(policy)
        return share

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def wire(self) -> Path:
        return self.folder / "wire"

    @property
    def state(self) -> Path:
        return self.folder / ".paxect"

    @property
    def log(self) -> Path:
        return self.state / "log" / f"{NODE}.jsonl"

    def set_policy(self, text: str) -> None:
        (self.state / "policy.toml").write_text(text)

    def drop(self, name: str | bytes, data: bytes) -> None:
        """Put a finished file into the inbox."""
        lay(self.inbox, os.fsencode(name), data)
        self.dropped[os.fsencode(name)] = hashlib.sha256(data).hexdigest()

    def command(self, command: str, *words: str) -> list[str]:
        """Return the words of a command on this share."""
        return [*COMMAND, command, str(self.folder), *words]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of this share's processes."""
        return process_environment(**{MARK: self.mark}, **more)

    def start(
        self, *words: str, command: str = "drain", node: str = NODE, **more: str
    ) -> subprocess.Popen[str]:
        """Start a command; `drain` unless another one is named."""
        return subprocess.Popen(
            self.command(command, "--node", node, *words),
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def drain(self, *words: str, node: str = NODE, **more: str) -> Finished:
        """Drain the share."""
        return finish(self.start(*words, node=node, **more))

    def events(self, name: str) -> list[dict]:
        """Return the events of that name in the log."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines()
        return [e for e in map(json.loads, lines) if e["event"] == name]

    def records(self) -> list[dict]:
        """Return all records that are whole."""
        found = []
        for path in sorted((self.state / "ledger").rglob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                with contextlib.suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def processes(self) -> list[psutil.Process]:
        """Return the living processes that descend from this share's commands."""
        return list(_marked(self.mark))

    def end_processes(self) -> list[str]:
        """Kill what is left; tell what that was."""
        left = self.processes()
        told = [_told(process) for process in left]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return told

    def arrived(self) -> dict[bytes, str]:
        """Return the SHA-256 of each file in the outbox, by its path below."""
        return digests_below(self.outbox)

    def crumbs(self) -> list[str]:
        """Return what lies where nothing should once all is delivered."""
        found = [
            *(p for crumb in CRUMBS for p in files_below(self.state / crumb)),
            *files_below(self.inbox),
            *files_below(self.wire),
            *(p for p in files_below(self.folder) if b".paxect-" in p),
        ]
        return sorted(
            {os.fsdecode(os.path.relpath(p, os.fsencode(self.folder))) for p in found}
        )


class Consumer:
    """Takes each file from the outbox the moment it appears, and counts it."""

    def __init__(self, share: RelayedShare, taken: Path) -> None:
        self._outbox = os.fsencode(share.outbox)
        self._taken = os.fsencode(taken)
        os.makedirs(self._taken)
        self._number = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take)
        self.found: list[tuple[bytes, str]] = []
        """Path below the outbox and SHA-256 of each file that was taken."""

    def __enter__(self) -> Consumer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def count(self) -> int:
        """How many files were taken so far."""
        return len(self.found)

    def _take(self) -> None:
        while True:
            last = self._over.is_set()
            for path in files_below(self._outbox):
                if os.path.basename(path).startswith(b"."):
                    continue
                self._number += 1
                mine = os.path.join(self._taken, b"%d" % self._number)
                os.rename(path, mine)
                with open(mine, "rb") as stream:
                    digest = hashlib.sha256(stream.read()).hexdigest()
                os.unlink(mine)
                self.found.append((os.path.relpath(path, self._outbox), digest))
            if last:
                return
            self._over.wait(0.002)


def lay(folder: Path, name: bytes, data: bytes) -> None:
    """Put a finished file there, by renaming it in."""
    path = os.path.join(os.fsencode(folder), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = os.path.join(
        os.path.dirname(path), b"%s.part" % secrets.token_hex(8).encode()
    )
    with open(part, "wb") as stream:
        stream.write(data)
    os.rename(part, path)


def process_environment(**more: str) -> dict[str, str]:
    """Return an environment in which the modules of this checkout are found."""
    path = os.pathsep.join((str(ROOT / "core"), str(ROOT)))
    # A measured process that is killed leaves its measurements in ruins.
    own = {name: text for name, text in os.environ.items() if "COVERAGE" not in name}
    return {**own, "PYTHONPATH": path, **more}


def finish(process: subprocess.Popen[str]) -> Finished:
    """Wait for a process to end."""
    out, err = process.communicate(timeout=SECONDS_MAX)
    return Finished(process.returncode, out, err)


def files_below(folder: Path | bytes) -> list[bytes]:
    """Return the paths of all files below the folder."""
    return [
        os.path.join(above, name)
        for above, _, names in os.walk(os.fsencode(folder))
        for name in names
    ]


def digests_below(folder: Path) -> dict[bytes, str]:
    """Return the SHA-256 of each file below the folder, by its path below it."""
    found = {}
    for path in files_below(folder):
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found[os.path.relpath(path, os.fsencode(folder))] = digest
    return found


def counted(found: list[tuple[bytes, str]], dropped: dict[bytes, str]) -> list[str]:
    """Tell of each file that did not arrive once and whole."""
    told = []
    times = Counter(name for name, _ in found)
    for name, digest in found:
        if name not in dropped:
            told.append(f"never dropped: {name!r}")
        elif dropped[name] != digest:
            told.append(f"arrived with other bytes: {name!r}")
    told += [f"arrived {n} times: {name!r}" for name, n in times.items() if n > 1]
    told += [f"lost: {name!r}" for name in dropped if name not in times]
    return told


def wait_until(
    holds: Callable[[], object], *, process: subprocess.Popen[str] | None = None
) -> bool:
    """Look until something holds; False if the process ended before."""
    until = time.monotonic() + SECONDS_MAX
    while not holds():
        if process is not None and process.poll() is not None:
            return False
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.001)
    return True


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the worker processes of a coordinator."""
    try:
        children = psutil.Process(process.pid).children()
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "paxect_batch.cli.worker" in process.cmdline()
    except psutil.Error:
        return False


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            found = process.environ().get(MARK) == mark
            zombie = process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if found and not zombie and process.pid != os.getpid():
            yield process


def _told(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return str(process.pid)
