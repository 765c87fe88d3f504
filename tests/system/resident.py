"""The memory that a process and all that descend from it hold together, sampled."""

from __future__ import annotations

import contextlib
import threading

import psutil

SAMPLE_SECONDS = 0.05
MIB = 1 << 20


class Resident:
    """Samples a process tree until left; `peak_bytes` is the most it ever held.

    Pages that several processes share count once where the system tells (PSS), and once
    for each of them elsewhere (RSS), which is never less.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.peak_bytes = 0
        self.samples = 0

    def __enter__(self) -> Resident:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            with contextlib.suppress(psutil.NoSuchProcess):
                tree = [self._process, *self._process.children(recursive=True)]
                self.peak_bytes = max(self.peak_bytes, sum(map(_held_bytes, tree)))
                self.samples += 1


def _held_bytes(process: psutil.Process) -> int:
    try:
        told = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        return process.memory_info().rss
    return getattr(told, "pss", 0) or told.rss
