"""Exits: which code a run ends with."""

from __future__ import annotations

from paxect_batch.model.errors import Exit, worst
from paxect_batch.model.run import Standing


def run_exit(standing: Standing, *, waiting: int, own: Exit | None) -> Exit:
    """Return the worst of what the run met.

    `waiting` is how many items were left, `own` what ended the run before its time.
    """
    codes = set(standing.exit_codes) | {own if own is not None else Exit.OK}
    if standing.bias_flags:
        codes.add(Exit.INTEGRITY)
    unfinished = waiting or standing.blocked_files or standing.set_aside_files
    if unfinished or codes - set(Exit):
        # A code that the list does not have must not pass for success.
        codes.add(Exit.UNFINISHED)
    return worst(codes)
