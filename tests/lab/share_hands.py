"""What the agent does on a relayed share: drop, consume, look, fill, produce slowly."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import drops

Say = Callable[[str, Any], None]

_LOOK_SECONDS = 0.01
_CONSUME_SECONDS = 0.02
_PAPERS = ("stage", "intents", "claims", "attempts", "meta", "quarantine")
"""Folders of the state that hold nothing once all is delivered."""


class ShareHands:
    """Acts by name, on the share as this guest sees it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._consumers: dict[str, Consumer] = {}

    def drop(self, inbox: str, seed: int, count: int) -> None:
        """Put files into the inbox, each by a rename."""
        for path, data in drops.files(seed, count):
            target = os.path.join(inbox, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(f"{target}.part", "wb") as stream:
                stream.write(data)
            os.rename(f"{target}.part", target)
        os.sync()

    def write_text(self, path: str, text: str) -> None:
        """Write a small file durably."""
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())

    def produce(
        self, inbox: str, name: str, how: str, pieces: int, pause: float
    ) -> tuple[str, float]:
        """Write a file slowly; its SHA-256, and the longest that nothing came."""
        path = os.path.join(inbox, name)
        part = f"{path}.part" if how == "rename" else path
        digest = hashlib.sha256()
        longest = 0.0
        with open(part, "wb", buffering=0) as stream:
            came = time.monotonic()
            for number in range(pieces):
                piece = (f"{name} {number}\n" * 50).encode()
                stream.write(piece)
                digest.update(piece)
                if how == "sync":
                    os.fsync(stream.fileno())
                before, came = came, time.monotonic()
                longest = max(longest, came - before)
                time.sleep(pause)
        if how == "rename":
            os.rename(part, path)
        return digest.hexdigest(), longest

    def consume(self, outbox: str, taken: str) -> None:
        """Begin to take files from the outbox the moment they appear."""
        self._consumers[outbox] = Consumer(outbox, taken)

    def consumed(self, outbox: str) -> list[tuple[str, str]]:
        """Take what is there, stop, and return path and SHA-256 of all that came."""
        return self._consumers.pop(outbox).stop()

    def arrived(self, outbox: str) -> list[tuple[str, str]]:
        """Return path and SHA-256 of each file that lies in the outbox."""
        return [
            (os.path.relpath(path, outbox), _sha256(path)) for path in _below(outbox)
        ]

    def crumbs(self, share: str) -> list[str]:
        """Return what lies where nothing should once all is delivered."""
        state = os.path.join(share, ".paxect")
        folders = [os.path.join(state, name) for name in _PAPERS]
        folders += [os.path.join(share, name) for name in ("inbox", "wire")]
        found = {path for folder in folders for path in _below(folder)}
        found |= {
            path
            for path in _below(share)
            if os.path.basename(path).startswith((".nfs", ".paxect-"))
        }
        return sorted(os.path.relpath(path, share) for path in found)

    def await_files(self, folder: str, count: int, seconds: float) -> bool:
        """Wait until that many files were seen in a folder; False if they never were."""
        seen: set[str] = set()
        until = time.monotonic() + seconds
        while len(seen) < count:
            if time.monotonic() > until:
                return False
            seen.update(_below(folder))
            time.sleep(_LOOK_SECONDS)
        return True

    def await_gone(
        self, share: str, node: str, seconds: float
    ) -> list[tuple[str, float]]:
        """Wait for what a dead node has now to be taken; each, and when it was."""
        began = time.monotonic()
        seen = {path: _inode(path) for path in self._held(share, node)}
        held = {path: inode for path, inode in seen.items() if inode is not None}
        told = []
        while held and time.monotonic() - began < seconds:
            for path in [p for p, inode in held.items() if _inode(p) != inode]:
                del held[path]
                told.append((os.path.relpath(path, share), time.monotonic() - began))
            time.sleep(_LOOK_SECONDS)
        return told + [(os.path.relpath(path, share), -1.0) for path in held]

    def _held(self, share: str, node: str) -> Iterator[str]:
        state = os.path.join(share, ".paxect")
        yield os.path.join(state, "nodes", node, "lease")
        for name in ("claims", "intents", "stage"):
            for path in _below(os.path.join(state, name)):
                if f"/{node}/" in path or (name == "claims" and _names(path, node)):
                    yield path

    def relay_reads(self, relay: str, path: str, paper: bool) -> None:
        """Read a file as the relay reads items, or its own papers."""
        if relay not in sys.path:
            sys.path.insert(0, relay)
        from paxect_batch.model.places import Place, Root
        from paxect_batch.world.plain_files import open_plain
        from paxect_batch.world.share import LocalShare

        if paper:
            with open_plain(path) as stream:
                stream.read()
            return
        folder, _, name = path.rpartition("/")
        with LocalShare({Root.INBOX: folder}).open_source(
            Place(Root.INBOX, name)
        ) as stream:
            stream.read()

    def fill(self, path: str, leave_bytes: int) -> None:
        """Leave that much room on the file system of a path, and no more."""
        found = os.statvfs(os.path.dirname(path))
        size = found.f_bavail * found.f_frsize - leave_bytes
        with open(path, "ab") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(size, 1))

    def ask_http(self, url: str, within: float) -> dict[str, Any]:
        """Ask a listener of this guest; code 0 if it did not answer."""
        began = time.monotonic()
        try:
            with urllib.request.urlopen(url, timeout=within) as answer:
                code, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            code, text = error.code, error.read()
        except OSError as error:
            code, text = 0, str(error).encode()
        seconds = time.monotonic() - began
        return {"code": code, "seconds": seconds, "text": text[:1000].decode()}

    def now(self) -> float:
        """Return this guest's time."""
        return time.time()


class Consumer:
    """Takes each file from an outbox by a rename, and counts it."""

    def __init__(self, outbox: str, taken: str) -> None:
        self._outbox = outbox
        self._taken = taken
        os.makedirs(taken, exist_ok=True)
        self._found: list[tuple[str, str]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self) -> list[tuple[str, str]]:
        """Look once more, and end."""
        self._over.set()
        self._thread.join()
        return self._found

    def _work(self) -> None:
        while True:
            last = self._over.wait(_CONSUME_SECONDS)
            for path in _below(self._outbox):
                if not os.path.basename(path).startswith("."):
                    self._take(path)
            if last:
                return

    def _take(self, path: str) -> None:
        mine = os.path.join(self._taken, str(len(self._found)))
        try:
            os.rename(path, mine)
        except FileNotFoundError:
            return  # listed by a cache that was behind
        self._found.append((os.path.relpath(path, self._outbox), _sha256(mine)))
        os.unlink(mine)


def _below(folder: str) -> list[str]:
    return [
        os.path.join(above, name)
        for above, _, names in os.walk(folder)
        for name in names
    ]


def _sha256(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None


def _names(path: str, node: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return node.encode() in stream.read(1 << 12)
    except FileNotFoundError:
        return False
