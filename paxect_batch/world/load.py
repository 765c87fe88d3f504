"""What this machine has for us: the only user of psutil."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from paxect_batch.model.fitness import Mount


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
        membership = _text(os.path.join(self._proc, "self/cgroup")) or ""
        for line in membership.splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if not controllers:
                yield from self._unified_quotas(path)
            elif "cpu" in controllers.split(","):
                yield from self._old_quotas(controllers, path)

    def _unified_quotas(self, path: str) -> Iterator[float]:
        for folder in _upwards(self._groups, path):
            quota, _, period = (_text(f"{folder}/cpu.max") or "").partition(" ")
            yield from _cores_of(quota, period)

    def _old_quotas(self, controllers: str, path: str) -> Iterator[float]:
        for folder in _upwards(f"{self._groups}/{controllers}", path):
            yield from _cores_of(
                _text(f"{folder}/cpu.cfs_quota_us") or "",
                _text(f"{folder}/cpu.cfs_period_us") or "",
            )


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
    """Return when a process began, where `/proc` does not tell; None without one."""
    import psutil

    try:
        process = psutil.Process(pid)
        # The dead that nobody waited for do nothing any more.
        is_dead = process.status() == psutil.STATUS_ZOMBIE
        return None if is_dead else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def boot_second() -> int:
    """Return about when this machine was booted, where `/proc` does not tell."""
    import psutil

    second: float = psutil.boot_time()
    return round(second / 10)


def _cores_allowed() -> int:
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


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read(4096).strip()
    except OSError:
        return None
