"""What the settings ask of the pace."""

from __future__ import annotations

from paxect_batch.cli.kinds import quiet_hours, rate_bytes
from paxect_batch.cli.settings import Settings
from paxect_batch.model.pace import Asked, Quiet


def asked_pace(settings: Settings) -> Asked:
    """Return it."""
    return Asked(
        guarded=settings.pace,
        rate_bytes=rate_bytes(settings.max_rate or ""),
        files_per_minute=settings.max_files_per_minute,
        quiet=tuple(
            Quiet(*each) for each in quiet_hours(settings.quiet_hours or "") or ()
        ),
    )
