"""A worker process: `world.pool` starts it, nobody else needs it.

Its one word, if it is given one, is how many bytes of sources it may read a second.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

from paxect_batch.world import garbage, worker_loop

if TYPE_CHECKING:
    from paxect_batch.model.places import Root


_CONTEXTS_MAX = 2
"""More files than that may be on their way at once, of which most wait for a server."""


def main() -> None:
    """Do lots until the coordinator ends."""
    garbage.look_for_seldom()
    worker_loop.ignore_signals()
    worker_loop.serve(*worker_loop.take_pipes(), _prepare)


def _prepare(roots: dict[Root, bytes]) -> worker_loop.Handle:
    from paxect_batch.work.lots import do_lot
    from paxect_batch.world.share import LocalShare
    from paxect_core.codec import bound_kept_contexts
    from paxect_core.parallel import keep_freed_memory

    keep_freed_memory()
    bound_kept_contexts(_CONTEXTS_MAX)
    if sys.argv[1:]:
        from paxect_batch.world.slow_reads import SlowReads

        slow = SlowReads(roots, rate_bytes=int(sys.argv[1]))
        return functools.partial(do_lot, slow)
    return functools.partial(do_lot, LocalShare(roots))


if __name__ == "__main__":
    main()
