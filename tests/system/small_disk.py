"""A small file system of its own, which can be filled and emptied again."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

PAGE_BYTES = 4096


class SmallDisk:
    """A mounted tmpfs; `why_not` tells whether there can be one."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        _mount(folder, size)

    def fill(self, *, leave_bytes: int) -> None:
        """Take all room but so much."""
        room = os.statvfs(self.folder)
        pages = room.f_bavail * room.f_frsize // PAGE_BYTES - leave_bytes // PAGE_BYTES
        with open(self._ballast, "wb") as stream:
            if pages > 0:
                os.posix_fallocate(stream.fileno(), 0, pages * PAGE_BYTES)

    def make_room(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()

    def remove(self) -> None:
        """Unmount it; what was on it is gone."""
        subprocess.run(["umount", self.folder], check=True)
        self.folder.rmdir()


def why_not() -> str:
    """Return why no disk can be had here; nothing if one can."""
    if not hasattr(os, "posix_fallocate"):
        return "no posix_fallocate on this platform"
    with tempfile.TemporaryDirectory() as name:
        try:
            _mount(Path(name), PAGE_BYTES)
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no tmpfs can be mounted here, so no disk filled: {error}"
        subprocess.run(["umount", name], check=True)
    return ""


def _mount(folder: Path, size: int) -> None:
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "paxect-test", folder]
    subprocess.run(words, check=True, capture_output=True)
