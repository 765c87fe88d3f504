"""Wait, in slices, while the node goes on showing life, and stop when told to."""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.errors import Exit
from paxect_batch.relay.account import Account
from paxect_batch.relay.closing import Closing
from paxect_batch.relay.pacing import Pacer
from paxect_batch.seams import Bell, Clock

PAUSE_PATIENCE_SECONDS = 600.0
"""How long a drain waits for what ran out, such as space on a disk."""
_PAUSE_SECONDS = 1.0
IDLE_SECONDS_MAX = 120.0
"""After so long a node that heard nothing looks all the same."""
_IDLE_REST = 200
_SLICE_SECONDS = 0.2
"""How long a wait lasts before it is asked again whether to stop."""


class Waiting:
    """What a node does between its passes."""

    def __init__(
        self,
        clock: Clock,
        *,
        closing: Closing,
        pacer: Pacer,
        account: Account,
        attend: Callable[[], None],
        poll_seconds: float,
        bell: Bell | None,
    ) -> None:
        """`attend` is called in each slice: others may need the node."""
        self._clock = clock
        self._closing = closing
        self._pacer = pacer
        self._account = account
        self._attend = attend
        self._poll_seconds = poll_seconds
        self._bell = bell

    def sleep(
        self, seconds: float, *, attends: bool = True, bell: Bell | None = None
    ) -> None:
        """Wait for so long, until it rings, or until the run is to end."""
        until = self._clock.monotonic() + seconds
        while not self._closing.is_due():
            left = until - self._clock.monotonic()
            if left <= 0:
                return
            if attends:
                self._attend()
            part = min(left, _SLICE_SECONDS)
            if bell is None:
                self._clock.sleep(part)
            elif bell.wait(part):
                return

    def for_more(
        self, ready_seconds: float, *, after: float, was_idle: bool = False
    ) -> None:
        """Wait until it is time to look for more, after a pass that took so long.

        Without a bell that is the poll interval, which a server's rest depends on. With
        one it is when the bell rings, or when what waits may be ready; but whatever
        comes, it rests first for as long as the pass took, or for the poll interval if
        that is less. While nothing comes, a two-hundredth of the time goes for looking.
        """
        if self._bell is None:
            self.sleep(self._poll_seconds)
            return
        most = self._poll_seconds
        if was_idle and self._bell.hears_all:
            most = max(most, min(after * _IDLE_REST, IDLE_SECONDS_MAX))
        least = min(self._poll_seconds, after)
        self.sleep(least)
        more = min(most, ready_seconds) - least
        self.sleep(more, bell=self._bell)

    def for_pace(self, *, patient: bool) -> bool:
        """Wait while nothing is to be claimed; False if patience, or the run, is over.

        Hours that the operator wants quiet try nobody's patience.
        """
        waited = 0.0
        self._pacer.look()
        while self._pacer.is_paused and not self._closing.is_due():
            if waited >= PAUSE_PATIENCE_SECONDS and not patient:
                self._account.standing.stopped = f"pace: {self._pacer.cause}"
                break
            self.sleep(_PAUSE_SECONDS)
            waited += 0.0 if self._pacer.is_quiet else _PAUSE_SECONDS
            self._pacer.look()
        if self._pacer.is_paused:
            # Nobody looked what there is to take; that is no success.
            self._account.standing.exit_codes.add(Exit.UNFINISHED)
        return not self._pacer.is_paused
