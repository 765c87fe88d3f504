"""A folder mounted several times, each mount with its own old view of it.

`stale_share.c` says what the mounts do. It is compiled here; `why_not` tells what is
missing for that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("stale_share.c")
BELIEVED_SECONDS = 30.0
"""As long as an NFS client believes what it knows of a folder."""
_MOUNT_SECONDS_MAX = 30.0


class StaleMount:
    """One mount of a folder; `folder` is where."""

    def __init__(
        self,
        backing: Path,
        folder: Path,
        *,
        seconds: float = BELIEVED_SECONDS,
        piece: int = 0,
        every: int = 0,
    ) -> None:
        """`piece` is how much one read or write moves; `every` which is interrupted."""
        self.folder = folder
        folder.mkdir()
        self._process = subprocess.Popen(
            [program(), backing, folder, str(seconds), str(piece), str(every)],
            stdin=subprocess.DEVNULL,
        )
        until = time.monotonic() + _MOUNT_SECONDS_MAX
        while not folder.is_mount():
            if self._process.poll() is not None or time.monotonic() > until:
                self._process.kill()
                self._process.wait()
                raise OSError(f"the mount program ended: {self._process.returncode}")
            time.sleep(0.005)

    def remove(self) -> None:
        """Unmount it, even if something is open there."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self._process.wait(_MOUNT_SECONDS_MAX)
        self.folder.rmdir()


@contextmanager
def mounted(
    backing: Path, *folders: Path, **manners: float
) -> Iterator[list[StaleMount]]:
    """Mount the folder in each of those places; see `StaleMount` for manners."""
    with ExitStack() as stack:
        mounts = []
        for folder in folders:
            mount = StaleMount(backing, folder, **manners)
            stack.callback(mount.remove)
            mounts.append(mount)
        yield mounts


@cache
def program() -> str:
    """Compile the program; return its path."""
    path = Path(_folder()) / "stale_share"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "fuse3"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    subprocess.run(
        ["cc", "-O1", "-o", path, SOURCE, *flags], check=True, capture_output=True
    )
    return str(path)


@cache
def _folder() -> str:
    import atexit

    folder = tempfile.mkdtemp(prefix="paxect-stale-")
    atexit.register(shutil.rmtree, folder)
    return folder


@cache
def why_not() -> str:
    """Return why nothing can be mounted here; nothing if it can."""
    missing = [
        name for name in ("cc", "pkg-config", "umount") if not shutil.which(name)
    ]
    if missing:
        return f"no {', '.join(missing)} here, so no share through FUSE was tried"
    with tempfile.TemporaryDirectory() as name:
        backing = Path(name) / "backing"
        backing.mkdir()
        try:
            with mounted(backing, Path(name) / "mount"):
                os.listdir(Path(name) / "mount")
        except (OSError, subprocess.CalledProcessError) as error:
            return f"nothing can be mounted through FUSE here: {error}"
    return ""
