"""Show who is at work, what waits, is in flight or was set aside, and the last run.

Looks only: nothing is written, so it may be run beside anything, on a share that is
mounted read-only as well.
"""

from __future__ import annotations

import json
import time

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.opened import open_share
from paxect_batch.cli.status_facts import share_status
from paxect_batch.cli.status_text import lines
from paxect_batch.model.errors import Exit


def command(arguments: Arguments) -> int:
    """Print how the share stands."""
    opened = open_share(arguments)
    status = share_status(opened)
    if opened.settings.json:
        facts = msgspec.to_builtins(status)
        console.say(json.dumps(facts, sort_keys=True, indent=1))
    else:
        console.say("\n".join(lines(status, now=time.time())))
    return Exit.OK
