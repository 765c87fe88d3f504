"""Start a thread, which a limit of the system may refuse."""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.errors import NoWorkers


def start_thread(start: Callable[[], object], purpose: str) -> None:
    """Call what starts a thread; `NoWorkers` if the system lets none be started.

    A thread that did not start must not be joined.
    """
    try:
        start()
    except RuntimeError as error:
        # That is all that Python tells, whichever limit it was.
        raise NoWorkers(
            f"the system lets no thread be started {purpose}: {error}; files are as "
            "they were; allow more tasks (TasksMax of a unit, the pids limit of a "
            "container, ulimit -u) or more memory, and run again"
        ) from error
