"""How many files this process may have open: as many as it is allowed to ask for."""

from __future__ import annotations

import contextlib
import sys

WANTED = 65536


def allow_descriptors(wanted: int = WANTED) -> None:
    """Raise the soft limit as far as it may go; each held claim keeps a file open."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    # macOS has a second limit that it does not tell of.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
