"""A small ext4 file system whose power can be cut: an image on a loop device.

The shutdown call of ext4 drops all that was not made durable, as a machine does that
loses power. Needs root, loop devices and `mkfs.ext4`; `why_not` tells what is missing.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGE_BYTES = 64 << 20

# Nothing is to become durable by the time alone.
_OPTIONS = b"commit=300"
_DETACH = 2  # MNT_DETACH


class Disk:
    """A small ext4 file system, mounted."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.folder = folder
        with open(image, "wb") as stream:
            stream.truncate(IMAGE_BYTES)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(image))
        folder.mkdir()
        self._device = _run("losetup", "--find", "--show", str(image)).strip()
        try:
            self._mount()
        except OSError:
            self._detach()
            raise

    def begin_again(self) -> None:
        """Mount it anew, which recovers what a power cut left."""
        self._unmount()
        self._mount()

    def make_durable(self) -> None:
        """Sync all of it."""
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            _checked(_libc().syncfs(fd))
        finally:
            os.close(fd)

    def remove(self) -> None:
        """Unmount it, even if it is in use, and give the loop device back."""
        try:
            _checked(_libc().umount2(os.fsencode(self.folder), _DETACH))
        finally:
            self._detach()

    def _mount(self) -> None:
        words = self._device.encode(), os.fsencode(self.folder), b"ext4"
        _checked(_libc().mount(*words, 0, _OPTIONS))

    def _unmount(self) -> None:
        _checked(_libc().umount(os.fsencode(self.folder)))

    def _detach(self) -> None:
        _run("losetup", "--detach", self._device)


def release(folder: Path) -> None:
    """Remove each disk below that folder whose process did not live to remove it."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return
    for line in mounts.read_bytes().splitlines():
        device, target = (os.fsdecode(word) for word in line.split()[:2])
        if Path(target).is_relative_to(folder):
            _checked(_libc().umount2(os.fsencode(target), _DETACH))
            _run("losetup", "--detach", device)


def why_not() -> str:
    """Return why no power can be cut here; nothing if it can."""
    if sys.platform != "linux":
        return "ext4 and its shutdown call are Linux's"
    if os.geteuid() != 0:
        return "mounting needs root"
    for name in ("mkfs.ext4", "losetup"):
        if shutil.which(name) is None:
            return f"there is no {name}"
    scratch = Path(tempfile.mkdtemp(prefix="paxect-power-"))
    try:
        Disk(scratch / "image", scratch / "disk").remove()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no loop device can be mounted: {error}"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return ""


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(*words: str) -> str:
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return done.stdout


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
