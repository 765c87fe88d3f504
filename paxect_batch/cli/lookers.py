"""Lookers: threads that look at the share again and again, for whoever shows it.

Each may hang for as long as the share does; nobody waits for it. How often the whole
share is looked at follows from how long that takes, so that it stays a small part of
what goes on.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from paxect_batch.cli import console
from paxect_batch.cli.layout import Layout
from paxect_batch.cli.log_tails import newest_events
from paxect_batch.cli.opened import Opened
from paxect_batch.cli.settings import Settings
from paxect_batch.cli.status_facts import share_status
from paxect_batch.cli.status_nodes import LeaseWatch
from paxect_batch.model.errors import BatchError, NoWorkers
from paxect_batch.model.places import Root
from paxect_batch.model.view import Ground, Viewer
from paxect_batch.report.amounts import size_text
from paxect_batch.report.health import FREE_BYTES_MIN
from paxect_batch.serve.board import Board
from paxect_batch.world.share import LocalShare
from paxect_batch.world.threads import start_thread
from paxect_core import CODEC_VERSION, __version__

GROUND_SECONDS = 5.0
"""How often it is tried whether the share can be worked on."""
TROUBLE_SECONDS = 1.0
"""How often, while it cannot."""
STATUS_SECONDS = 2.0
STATUS_SECONDS_MAX = 300.0
STATUS_PAUSES = 20
"""So many times as long as a look took it rests after it."""
_JOIN_SECONDS = 1.0

Open = Callable[[], Opened]


class _Ended(Exception):
    """Nobody wants to know any more."""


class Looker:
    """Calls `look` again and again; it returns for how long to rest."""

    def __init__(self, name: str, look: Callable[[], float]) -> None:
        self._look = look
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)
        start_thread(self._thread.start, "to look at the share")

    def end(self) -> None:
        """Look no more; one that hangs is left to itself."""
        self._ended.set()

    def join(self) -> None:
        """Wait a moment for the last look to end."""
        self._thread.join(_JOIN_SECONDS)

    def _go(self) -> None:
        while not self._ended.is_set():
            try:
                seconds = self._look()
            except _Ended:
                return
            self._ended.wait(seconds)


class Lookers:
    """All that look at one share for a board, from their making to `stop`."""

    def __init__(
        self, board: Board, open_it: Open, *, tries: bool, own_events: bool
    ) -> None:
        """`tries`: whether the share may be written to see if that works.

        `own_events`: whether the board is told of events by a run in this process.
        """
        self._board = board
        self._open = open_it
        self._own_events = own_events
        self._tries = tries
        self._is_ended = threading.Event()
        self._slept = 0.0
        self._lookers: list[Looker] = []
        try:
            self._lookers.append(Looker("paxect-ground", self._look_at_ground))
            self._lookers.append(Looker("paxect-status", self._look_at_status))
        except NoWorkers:
            self.stop()
            raise

    def stop(self) -> None:
        """Look no more."""
        self._is_ended.set()
        for looker in self._lookers:
            looker.end()
        for looker in self._lookers:
            looker.join()

    def _look_at_ground(self) -> float:
        found = ground(self._open, tries=self._tries)
        self._board.note_ground(found)
        return TROUBLE_SECONDS if found.problems else GROUND_SECONDS

    def _look_at_status(self) -> float:
        start, self._slept = time.monotonic(), 0.0
        try:
            opened = self._open()
            status = share_status(opened, watch_leases=self._watch)
            events = () if self._own_events else newest_events(opened.share)
        except (BatchError, OSError):
            # What is wrong with the share is told by who looks at its ground.
            return TROUBLE_SECONDS
        took = max(time.monotonic() - start - self._slept, 0.0)
        self._board.note_status(status, took_seconds=took, events=events)
        return min(max(took * STATUS_PAUSES, STATUS_SECONDS), STATUS_SECONDS_MAX)

    def _watch(self, share: LocalShare, lease_seconds: float) -> LeaseWatch:
        return LeaseWatch(share, lease_seconds, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        # Waiting for beats costs nobody anything, and is cut short at the end.
        self._slept += seconds
        if self._is_ended.wait(seconds):
            raise _Ended


def ground(open_it: Open, *, tries: bool) -> Ground:
    """Try whether the share can be worked on."""
    try:
        opened = open_it()
    except BatchError as error:
        return Ground(at=time.time(), problems=(error.message,))
    except OSError as error:  # the working folder is gone
        return Ground(at=time.time(), problems=(console.os_error_text(error),))
    problems: list[str] = []
    skew: float | None = None
    free: dict[str, int] = {}
    try:
        if tries:
            skew = _skew(opened.share)
        for root in Root:
            free[root] = opened.share.free_bytes(root)
            if free[root] < FREE_BYTES_MIN:
                problems.append(f"only {size_text(free[root])} are free in {root}")
    except OSError as error:
        problems.append(f"the share gave {console.os_error_text(error)}")
    return Ground(
        at=time.time(),
        problems=tuple(dict.fromkeys(problems)),
        free_bytes=free,
        clock_skew_seconds=skew,
    )


def _skew(share: LocalShare) -> float:
    """Return how far the share's clock is ahead; it takes a file, made and removed."""
    before = time.time()
    there = share.now()
    return round(there - (before + time.time()) / 2, 3)


def viewer(settings: Settings, layout: Layout | None = None) -> Viewer:
    """Return who shows the share."""
    words = settings.share or settings.inbox or ""
    return Viewer(
        version=__version__,
        codec=CODEC_VERSION,
        python=".".join(map(str, sys.version_info[:3])),
        share=layout.words if layout else words,
    )
