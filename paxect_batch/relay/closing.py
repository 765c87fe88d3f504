"""Whether a run is to claim nothing more, and why."""

from __future__ import annotations

from paxect_batch.model.policy import Policy
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.account import Account
from paxect_batch.seams import Clock, StopSignal

_PATIENCE_SECONDS = 2.0


def patience_seconds(policy: Policy) -> float:
    """Return how long a drain waits for files that have not settled."""
    return 2 * policy.settle_seconds + _PATIENCE_SECONDS


class Closing:
    """When a run that is given no end by its items comes to one."""

    def __init__(
        self, clock: Clock, stop: StopSignal, options: RunOptions, account: Account
    ) -> None:
        self._clock = clock
        self._stop = stop
        self._options = options
        self._account = account
        self._started = clock.monotonic()

    def is_stopping(self) -> bool:
        """Tell whether the run was told to stop: what was begun is left, too."""
        return self._stop.requested

    def is_due(self) -> bool:
        """Tell whether it is time; the standing has the reason then."""
        standing = self._account.standing
        if self._stop.requested:
            standing.stopped = "signal"
        elif self._is_past_deadline():
            standing.stopped = "deadline"
        elif self.files_left() == 0:
            standing.stopped = "max-files"
        return bool(standing.stopped)

    def files_left(self) -> int | None:
        """Return how many items may still be claimed; None without a limit."""
        limit = self._options.files_max
        return None if limit is None else max(limit - self._account.files_taken, 0)

    def _is_past_deadline(self) -> bool:
        limit = self._options.deadline_seconds
        return limit is not None and self._clock.monotonic() - self._started >= limit
