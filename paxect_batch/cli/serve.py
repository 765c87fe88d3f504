"""Show a share over HTTP until told to stop; no file is relayed.

Whether the share can be written is tried with a file that is made and removed again;
but for that nothing is touched.
"""

from __future__ import annotations

import time

from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.listening import listening
from paxect_batch.cli.settings import load
from paxect_batch.cli.stop import StopSignal
from paxect_batch.model.errors import ConfigError

_SLICE_SECONDS = 0.2


def command(arguments: Arguments) -> int:
    """Listen until a signal comes."""
    share = arguments.operands[0] if arguments.operands else None
    settings = load(arguments, share=share)
    if settings.share is None and settings.inbox is None:
        raise ConfigError(
            "no folder was named; nothing was touched; name a SHARE, or an --inbox "
            "and an --outbox"
        )
    with StopSignal() as stop, listening(settings, arguments, own_run=False):
        while not stop.requested:
            time.sleep(_SLICE_SECONDS)
    return stop.exit_code
