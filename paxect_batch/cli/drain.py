"""Work until nothing that may travel is left, and exit."""

from __future__ import annotations

from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.run import run


def command(arguments: Arguments) -> int:
    """Drain the share that the operand or the settings name."""
    return run(arguments, watch=False)
