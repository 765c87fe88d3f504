"""How much there is to do: counted beside the run, for its progress bar alone.

The run itself streams and never knows its end. This goes over the folders once, in a
thread of its own that nobody waits for, so a share that hangs holds nothing up; what it
has counted so far is good enough at any time, and what comes later is not in it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable

from paxect_batch.model.errors import NoWorkers
from paxect_batch.model.items import Kind
from paxect_batch.model.places import Root
from paxect_batch.relay.scan import scan
from paxect_batch.rules.naming import is_sidecar
from paxect_batch.seams import Share
from paxect_batch.world.threads import start_thread


class Forecast:
    """Files, and their bytes, that lay in some roots when the run began."""

    def __init__(self, share: Share, roots: Iterable[Root]) -> None:
        self.files = 0
        self.bytes = 0
        self._share = share
        self._roots = tuple(dict.fromkeys(roots))
        self._is_stopped = False
        self.thread = threading.Thread(target=self._count, daemon=True)

    def start(self) -> None:
        """Begin to count; where no thread can be had, nothing is counted."""
        with contextlib.suppress(NoWorkers):
            start_thread(self.thread.start, "to count what there is to do")

    def stop(self) -> None:
        """Count no further than the file at hand."""
        self._is_stopped = True

    def _count(self) -> None:
        for root in self._roots:
            try:
                self._count_root(root)
            except OSError:
                continue  # the run meets it too, and tells

    def _count_root(self, root: Root) -> None:
        for entry in scan(self._share, root):
            if self._is_stopped:
                return
            if entry.kind is not Kind.FILE or is_sidecar(entry.place.name):
                continue
            facts = self._share.look(entry.place)
            if facts is not None:
                self.files += 1
                self.bytes += facts.identity.size
