"""What this machine has for us: the only user of psutil."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator

from paxect_batch.model.fitness import Mount

_TEXT_MAX = 1 << 16
_IDLE_FROM = 10
"""From this niceness on, Windows has a process run when nobody else wants to."""


class Load:
    """See `seams.Load`. The folders are where Linux tells of processes and groups."""

    def __init__(self, *, proc: str = "/proc", groups: str = "/sys/fs/cgroup") -> None:
        self._proc = proc
        self._groups = groups

    def cores(self) -> int:
        """See `seams.Load`. At least one; a container's quota counts, rounded up."""
        quota = min(self._quotas(), default=math.inf)
        cores = _cores_allowed()
        return max(1, cores if math.isinf(quota) else min(cores, math.ceil(quota)))

    def _quotas(self) -> Iterator[float]:
        """Give the cores that each control group around this process may use."""
        for folder, is_unified in group_folders(self._proc, self._groups, "cpu"):
            if is_unified:
                quota, _, period = (text_of(f"{folder}/cpu.max") or "").partition(" ")
            else:
                quota = text_of(f"{folder}/cpu.cfs_quota_us") or ""
                period = text_of(f"{folder}/cpu.cfs_period_us") or ""
            yield from _cores_of(quota, period)


def group_folders(
    proc: str, groups: str, controller: str
) -> Iterator[tuple[str, bool]]:
    """Give the folder of each control group around this process, innermost first.

    And whether it is of the newer kind, where one tree is for all controllers.
    """
    membership = text_of(os.path.join(proc, "self/cgroup")) or ""
    for line in membership.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            for folder in _upwards(groups, path):
                yield folder, True
        elif controller in controllers.split(","):
            for folder in _upwards(f"{groups}/{controllers}", path):
                yield folder, False


def text_of(path: str) -> str | None:
    """Return what stands in a small file of the system; None if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read(_TEXT_MAX).strip()
    except OSError:
        return None


def mounts() -> list[Mount]:
    """Return what is mounted, where the system has no better way to tell."""
    import psutil  # type: ignore[import-untyped]

    return [
        Mount(
            point=each.mountpoint,
            kind=each.fstype,
            source=each.device,
            options=tuple(filter(None, each.opts.split(","))),
        )
        for each in psutil.disk_partitions(all=True)
    ]


def process_started(pid: int) -> str | None:
    """Return when a process began, where `/proc` does not tell.

    None if there is none, nothing if it is hidden.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        # The dead that nobody waited for do nothing any more.
        is_dead = process.status() == psutil.STATUS_ZOMBIE
        return None if is_dead else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:
        return ""


def boot_second() -> int:
    """Return about when this machine was booted, where `/proc` does not tell."""
    second: float
    if sys.platform == "linux":
        second = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    else:
        import psutil

        second = psutil.boot_time()
    return round(second / 10)


def memory() -> tuple[int, int] | None:
    """Return how many bytes of the machine's memory can be had, and are there.

    None where the system does not tell, as without the rest of `/proc`.
    """
    import psutil

    try:
        found = psutil.virtual_memory()
    except (OSError, psutil.Error):
        return None
    return found.available, found.total


def cpu_seconds() -> tuple[float, float] | None:
    """Return for how long all cores together were busy, and were there, since boot.

    None where the system does not tell; see `memory`.
    """
    import psutil

    try:
        times = psutil.cpu_times()._asdict()
    except (OSError, psutil.Error):
        return None
    # Linux counts guests into `user` as well.
    total = sum(times.values()) - times.get("guest", 0) - times.get("guest_nice", 0)
    return total - times["idle"] - times.get("iowait", 0), total


def cpu_seconds_of(pid: int) -> float | None:
    """Return for how long a process was busy; None if it is not to be seen."""
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except (OSError, psutil.Error):
        return None
    return float(times.user + times.system)


def descriptors_open() -> int | None:
    """Return how many descriptors this process has open; None where none count."""
    import psutil

    try:
        count: int = psutil.Process().num_fds()
    except (AttributeError, OSError, psutil.Error):
        return None
    return count


def battery_percent() -> float | None:
    """Return how full the battery is that the machine lives from, if it does."""
    import psutil

    sensor = getattr(psutil, "sensors_battery", None)
    try:
        found = sensor() if sensor is not None else None
    except OSError:  # containers and chroots may have no /sys
        return None
    return None if found is None or found.power_plugged else float(found.percent)


def be_nice(niceness: int) -> None:
    """Let others on this machine go first: 0, not at all, to 19, whenever they want.

    What this process starts from then on is as nice.
    """
    if sys.platform == "win32":
        import psutil

        below, idle = psutil.BELOW_NORMAL_PRIORITY_CLASS, psutil.IDLE_PRIORITY_CLASS
        if niceness:
            psutil.Process().nice(below if niceness < _IDLE_FROM else idle)
    else:
        os.nice(niceness)


def _cores_allowed() -> int:
    asked = getattr(os, "sched_getaffinity", None)  # Linux; it needs no /proc
    if asked is not None:
        return len(asked(0))
    # Imported here: it takes longer than `--help` should.
    import psutil

    affinity = getattr(psutil.Process, "cpu_affinity", None)  # not on macOS
    if affinity is not None:
        return len(affinity(psutil.Process()))
    return psutil.cpu_count() or 1


def _upwards(top: str, path: str) -> Iterator[str]:
    """Give the group's folder and those above it, as far as they can be seen."""
    path = path.strip().strip("/")
    while path:
        yield f"{top}/{path}"
        path = path.rpartition("/")[0]
    # Within a container its own group is at the top.
    yield top


def _cores_of(quota: str, period: str) -> Iterator[float]:
    try:
        amount, each = int(quota), int(period)
    except ValueError:  # no quota: "max", or no such file
        return
    if amount > 0 and each > 0:
        yield amount / each
