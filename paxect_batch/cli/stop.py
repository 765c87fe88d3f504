"""Signals: the first one asks the run to end well, a second one to end now.

SIGHUP reopens the log. Handlers only note what was asked for; the run looks. Should it
hang, as on a mount that does not answer, a second signal ends the process a few seconds
later all the same: what lies on the share can be finished by any node.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from paxect_batch.cli import console
from paxect_batch.model.errors import Exit, NoWorkers
from paxect_batch.world.threads import start_thread

GRACE_SECONDS = 5.0
"""How long a run has to end by itself after the second signal."""

_STOPPING = ("SIGINT", "SIGTERM", "SIGBREAK")


class StopSignal:
    """What signals asked for so far; see `relay.node`."""

    def __init__(self) -> None:
        self.requested = False
        """End well: take nothing more, finish what is being published."""
        self.now = False
        """End at once."""
        self.exit_code = Exit.TERMINATED
        """What the first signal makes of the exit code, once there was one."""
        self.reopen: Callable[[], None] | None = None
        """What SIGHUP asks for."""
        self._left: list[tuple[int, object]] = []

    def __enter__(self) -> StopSignal:
        for name in _STOPPING:
            self._catch(name, self._stop)
        self._catch("SIGHUP", self._hang_up)
        return self

    def __exit__(self, *exc_info: object) -> None:
        while self._left:
            number, handler = self._left.pop()
            if console.ends_with_the_run:
                # A program ends with the run: a signal after the audit line would
                # belie what that says of the exit code.
                handler = signal.SIG_IGN
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _catch(
        self, name: str, handler: Callable[[int, FrameType | None], None]
    ) -> None:
        number = getattr(signal, name, None)
        # nohup and shells in the background ignore some; so it stays.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            self._left.append((number, signal.signal(number, handler)))

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
            if number == signal.SIGINT:
                self.exit_code = Exit.INTERRUPTED
            return
        if not self.now:
            self.now = True
            timer = threading.Timer(GRACE_SECONDS, os._exit, (int(self.exit_code),))
            timer.daemon = True
            # Where no thread can be had, the run ends by itself or hangs.
            with contextlib.suppress(NoWorkers):
                start_thread(timer.start, "to end a run that hangs")

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        if self.reopen is not None:
            self.reopen()
