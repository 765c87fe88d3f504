"""Which mount a folder lies on, with what options, and what room there is."""

from __future__ import annotations

import os
import re
import shutil
import sys

from paxect_batch.model.fitness import Mount, Space

MOUNT_INFO = "/proc/self/mountinfo"

_OCTAL = re.compile(r"\\([0-7]{3})")


def find_mount(path: str, *, mount_info: str = MOUNT_INFO) -> Mount | None:
    """Return the mount of a folder; None if the system does not tell."""
    real = os.path.realpath(path)
    if sys.platform == "linux":
        try:
            with open(
                mount_info, encoding="utf-8", errors="surrogateescape", newline="\n"
            ) as stream:
                return mount_of(real, parse_mounts(stream.read()))
        except OSError:
            return None
    from paxect_batch.world.load import mounts

    return mount_of(real, mounts())


def parse_mounts(text: str) -> list[Mount]:
    """Return the mounts of a `mountinfo` file, in its order; see proc(5)."""
    mounts = []
    for line in text.split("\n"):
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if not dash or len(fields) < 6 or len(rest) < 3:
            continue
        options = dict.fromkeys([*fields[5].split(","), *rest[2].split(",")])
        if "ro" in options:
            # Read-only as a mount or as a file system: it counts for both.
            options.pop("rw", None)
        mounts.append(
            Mount(
                point=_plain(fields[4]),
                kind=rest[0],
                source=_plain(rest[1]),
                options=tuple(options),
            )
        )
    return mounts


def mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    """Return the mount that a real path lies on: the deepest, and of those the last."""
    found: Mount | None = None
    for mount in mounts:
        deeper = found is None or len(mount.point) >= len(found.point)
        if deeper and _is_below(path, mount.point):
            found = mount
    return found


def _is_below(path: str, point: str) -> bool:
    if sys.platform == "win32":
        path, point = os.path.normcase(path), os.path.normcase(point)
    top = point.rstrip(os.sep)
    return path == point or path.startswith(top + os.sep)


def _plain(field: str) -> str:
    """Return the field with its blanks and backslashes, which stand there in octal."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)


def find_space(path: str) -> Space:
    """Return what room an unprivileged user has."""
    if sys.platform == "win32":
        usage = shutil.disk_usage(path)
        return Space(
            free_bytes=usage.free,
            total_bytes=usage.total,
            free_inodes=None,
            total_inodes=None,
        )
    found = os.statvfs(path)
    # SMB and some others count no inodes: both numbers are 0 there.
    limited = found.f_files > 0
    return Space(
        free_bytes=found.f_bavail * found.f_frsize,
        total_bytes=found.f_blocks * found.f_frsize,
        free_inodes=found.f_favail if limited else None,
        total_inodes=found.f_files if limited else None,
    )
