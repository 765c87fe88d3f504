"""Whether the kernel tells here that a file is open for writing, asked of it alone."""

import sys
from pathlib import Path
from typing import BinaryIO


def kernel_tells_of_writers(folder: Path) -> bool:
    """Tell whether a lease to read is refused while a file is open to write, only then."""
    path = folder / "probe"
    try:
        with open(path, "wb"), open(path, "rb") as stream:
            refused = not _leased(stream)
        with open(path, "rb") as stream:
            return refused and _leased(stream)
    finally:
        path.unlink()


def _leased(stream: BinaryIO) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError:
        return False
    return True
