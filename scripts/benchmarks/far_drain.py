"""`paxect-batch` on a share whose every operation takes longer, and is counted.

    python -m benchmarks.far_drain SECONDS COUNTS drain SHARE ...

Each process writes how many operations it did into a file of its own below COUNTS.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from paxect_batch.cli import main as command_line
from paxect_batch.cli import run, wiring
from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.work.lots import do_lot
from paxect_batch.work.meter import Tell
from paxect_batch.world import worker_loop
from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.share import LocalShare
from paxect_batch.world.syncing import all_met

_OF_SHARE = (
    *("entries", "freshen", "size_of", "look", "open_source", "create", "sync"),
    *("sync_folder", "rename_new", "move_new", "remove", "remove_folder"),
    "removal",
    *("make_folder", "dress", "free_bytes"),
)
_OF_CLAIMS = ("take", "give_back")


class FarShare(LocalShare):
    """A share that is taken to be a server's."""

    seconds = 0.0

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._is_far = self.seconds > 0

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        """As a server has it: each file for itself."""
        if not self._is_far:
            return super().sync_all(streams)
        return all_met(self.sync, streams, self.each)

    def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
        """As a server has it: each folder for itself."""
        if not self._is_far:
            return super().sync_folders(folders)
        return all_met(self.sync_folder, folders, self.each)


class _Operations:
    """Delays and counts calls."""

    def __init__(self, seconds: float, folder: str) -> None:
        self._seconds = seconds
        self._path = Path(folder) / f"{os.getpid()}.json"
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def watch(self, owner: type, names: Sequence[str]) -> None:
        """Delay and count these methods."""
        for name in names:
            setattr(owner, name, self._watched(name, getattr(owner, name)))

    def write(self) -> None:
        """Write down what was counted so far."""
        self._path.write_text(json.dumps(self._counts))

    def _watched(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*words: Any, **named: Any) -> Any:
            with self._lock:
                self._counts[name] += 1
            if self._seconds:
                time.sleep(self._seconds)
            return method(*words, **named)

        return call


def main() -> int:
    """Be a node's coordinator, or one of its workers."""
    seconds, folder, *words = sys.argv[1:]
    FarShare.seconds = float(seconds)
    operations = _Operations(float(seconds), folder)
    operations.watch(FarShare, _OF_SHARE)
    operations.watch(ClaimFiles, _OF_CLAIMS)
    if words == ["worker"]:
        _work(operations)
        return 0
    again = ("-P", "-m", "benchmarks.far_drain", seconds, folder, "worker")
    wiring.WORKER_COMMAND = (sys.executable, *again)
    wiring.LocalShare = run.LocalShare = FarShare  # type: ignore[misc]
    sys.argv[1:] = words
    try:
        return command_line.main(words)
    finally:
        operations.write()


def _work(operations: _Operations) -> None:
    worker_loop.ignore_signals()

    def prepare(roots: Any) -> worker_loop.Handle:
        share = FarShare(roots)

        def handle(lot: Lot, tell: Tell) -> tuple[Outcome, ...]:
            outcomes = do_lot(share, lot, tell)
            operations.write()
            return outcomes

        return handle

    worker_loop.serve(*worker_loop.take_pipes(), prepare)


if __name__ == "__main__":
    sys.exit(main())
