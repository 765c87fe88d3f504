"""The clock of this machine; see `seams.Clock`."""

from __future__ import annotations

import sys
import time


def lasting() -> float:
    """Return seconds that also pass while this machine is suspended.

    `time.monotonic` leaves them out on Linux and macOS; others wait for nobody.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform != "win32":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


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
