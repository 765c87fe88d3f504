"""The clock of this machine; see `seams.Clock`."""

from __future__ import annotations

import time


class RealClock:
    """See `seams.Clock`."""

    def now(self) -> float:
        """See `seams.Clock`."""
        return time.time()

    def monotonic(self) -> float:
        """See `seams.Clock`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `seams.Clock`."""
        time.sleep(seconds)
