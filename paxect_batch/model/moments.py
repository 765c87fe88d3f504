"""Moments: seconds since 1970, and as text in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC).timestamp()


def utc(seconds: float) -> str:
    """Return a moment as ISO 8601 in UTC, to the millisecond.

    What is before 1970 or after 9999, which no clock shows, is the nearest that is not.
    """
    moment = datetime.fromtimestamp(min(max(seconds, 0), _LAST), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(stamp: str) -> float | None:
    """Return a moment in seconds since 1970, if the text is one."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        return None
