"""Go on relaying until told to stop."""

from __future__ import annotations

from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.run import run


def command(arguments: Arguments) -> int:
    """Watch the share that the operand or the settings name."""
    return run(arguments, watch=True)
