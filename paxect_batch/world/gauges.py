"""How it stands with what a run shares: memory, disks, cores, descriptors, power.

Reading takes about a millisecond and a round trip to each file system. Control groups
around this process count where they leave less than the machine does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from paxect_batch.model.pace import Disk, Surroundings
from paxect_batch.model.places import Root
from paxect_batch.world import load

POWER_SECONDS = 30.0
"""How often the battery is looked at."""
_UNIFIED = ("memory.max", "memory.current", "")
_OLDER = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
"""Of a control group's memory: the limit, what is used, how totals are called."""
_UNLIMITED = 1 << 60
"""From this on, a limit of the older control groups is none."""


class SystemGauges:
    """See `seams.Gauges`. `workers` gives the processes that are this run's as well."""

    def __init__(
        self,
        roots: Mapping[Root, str | bytes],
        *,
        workers: Callable[[], Iterable[int]] = tuple,
        proc: str = "/proc",
        groups: str = "/sys/fs/cgroup",
    ) -> None:
        self._roots = roots
        self._workers = workers
        self._proc = proc
        self._groups = groups
        self._cpu: tuple[float, float] | None = None
        self._own: dict[int, float] = {}
        self._power: tuple[float, float | None] | None = None

    def read(self) -> Surroundings:
        """See `seams.Gauges`."""
        moment = time.localtime()
        free, total = self._memory() or (None, None)
        limit, used = _descriptor_limit(), load.descriptors_open()
        is_counted = limit is not None and used is not None
        return Surroundings(
            minute=moment.tm_hour * 60 + moment.tm_min,
            memory_free_bytes=free,
            memory_total_bytes=total,
            disks=tuple(self._disks()),
            busy_elsewhere=self._busy_elsewhere(),
            descriptors_free=(limit or 0) - (used or 0) if is_counted else None,
            descriptors_total=limit if is_counted else None,
            battery_percent=self._battery(),
        )

    def _memory(self) -> tuple[int, int] | None:
        """Return what can be had: by the machine, or by the group that leaves least."""
        of_machine = load.memory()
        known = [] if of_machine is None else [of_machine]
        known += memory_of_groups(self._proc, self._groups)
        return min(known, default=None)

    def _disks(self) -> Iterator[Disk]:
        """Give each file system below the roots once, by the first root on it."""
        seen: set[object] = set()
        for root, path in self._roots.items():
            try:
                device = os.stat(path).st_dev
                if device not in seen:
                    seen.add(device)
                    yield _disk(str(root), path)
            except OSError:
                # What works with the share tells what is wrong with it.
                continue

    def _busy_elsewhere(self) -> float | None:
        before, self._cpu = self._cpu, load.cpu_seconds()
        known, self._own = self._own, {}
        own = 0.0
        for pid in (os.getpid(), *self._workers()):
            seconds = load.cpu_seconds_of(pid)
            if seconds is not None:
                self._own[pid] = seconds
                own += max(seconds - known.get(pid, 0.0), 0.0)
        if before is None or self._cpu is None:
            return None
        busy, total = self._cpu
        if total <= before[1]:
            return None
        others = busy - before[0] - own
        return min(max(others / (total - before[1]), 0.0), 1.0)

    def _battery(self) -> float | None:
        now = time.monotonic()
        if self._power is None or now - self._power[0] >= POWER_SECONDS:
            self._power = now, load.battery_percent()
        return self._power[1]


def memory_of_groups(proc: str, groups: str) -> Iterator[tuple[int, int]]:
    """Give what each control group around this process leaves, and its limit.

    What holds copies of files can be had as well: it is dropped when it is wanted.
    """
    for folder, is_unified in load.group_folders(proc, groups, "memory"):
        names = _UNIFIED if is_unified else _OLDER
        limit = _number(load.text_of(f"{folder}/{names[0]}"))
        used = _number(load.text_of(f"{folder}/{names[1]}"))
        if limit is not None and used is not None and limit < _UNLIMITED:
            cached = _cached(load.text_of(f"{folder}/memory.stat"), names[2])
            yield max(limit - max(used - cached, 0), 0), limit


def _cached(stat: str | None, prefix: str) -> int:
    words = dict(line.partition(" ")[::2] for line in (stat or "").splitlines())
    kinds = (f"{prefix}inactive_file", f"{prefix}active_file")
    return sum(_number(words.get(kind)) or 0 for kind in kinds)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _disk(name: str, path: str | bytes) -> Disk:
    if sys.platform == "win32":
        import shutil

        usage = shutil.disk_usage(path)
        return Disk(name, usage.free, usage.total)
    found = os.statvfs(path)
    return Disk(
        name,
        free_bytes=found.f_bavail * found.f_frsize,
        total_bytes=found.f_blocks * found.f_frsize,
        free_inodes=found.f_favail if found.f_files else None,
        total_inodes=found.f_files or None,
    )


def _descriptor_limit() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
