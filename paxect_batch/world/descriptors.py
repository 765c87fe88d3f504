"""Let this process have as many files open as the system grants it.

Each claim in flight may hold a descriptor, and usual soft limits are 1024 or, on
macOS, 256.
"""

from __future__ import annotations

import contextlib
import sys

WANTED = 8192


def raise_limit() -> None:
    """Raise the soft limit on open files towards what is wanted, if it may be."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
