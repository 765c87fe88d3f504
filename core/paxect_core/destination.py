"""A file that appears under its name only when it is whole.

Written under a temporary name beside it, synced, given its name, and the folder
synced. Whatever goes wrong before that leaves no trace, except that a process killed
outright leaves a temporary file, `.CRC32-OF-NAME.RANDOM.part`, which is nobody's data.
"""

from __future__ import annotations

import errno
import os
import stat
from binascii import crc32, hexlify

from paxect_core import errors
from paxect_core.writeback import Writeback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO

    from paxect_core.streams import Writable

_unfinished: set[str] = set()
"""Temporary files of this process that were neither published nor dropped."""

# What a folder answers that cannot be synced: a share without the call, or a drop
# folder that may be written but not read.
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)


def drop_unfinished() -> None:
    """Remove what a signal kept its `Destination` from removing."""
    for part in list(_unfinished):
        _drop(part)


class Destination:
    """The file to be, as a context manager: leaving it without `publish` drops it.

    An existing regular file is refused, or with `replace` exchanged at the end. What
    is there and is no regular file (a device, a fifo) is written to directly.
    """

    def __init__(self, path: str | bytes | os.PathLike[str], *, replace: bool) -> None:
        self._shown = os.fsdecode(path)
        # A link keeps pointing where it does; its target is what gets made.
        self._path = os.path.realpath(self._shown)
        self._replace = replace
        self.direct = False
        """Whether bytes show at the destination as soon as they are written."""
        self._part: str | None = None
        self.stream: FileIO = self._open()
        self.sink: Writable = self.stream if self.direct else Writeback(self.stream)
        """Where to write."""

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # Closing may report a full disk again; what matters was said by then.
        try:
            self.stream.close()
        except OSError:
            if self._part is None:
                raise
        finally:
            if self._part is not None:
                _drop(self._part)
                self._part = None

    def _open(self) -> FileIO:
        try:
            # Not the resolved path: that of /dev/stdout, where it is a pipe, is none.
            mode = os.stat(self._shown).st_mode
        except FileNotFoundError:
            if os.path.basename(self._shown) in ("", ".", ".."):
                raise errors.OutputError(
                    f"{self._shown!r} names no file; nothing was written; "
                    "add a file name to it"
                ) from None
        except OSError as error:
            raise self._refused("looking at", error) from error
        else:
            if stat.S_ISDIR(mode):
                raise errors.OutputError(
                    f"{self._shown!r} is a folder; name a file in it"
                )
            if not stat.S_ISREG(mode):
                return self._open_directly()
            if not self._replace:
                raise self._taken()
        folder, name = os.path.split(self._path)
        part = os.path.join(folder, _part_name(name))
        # Noted first: a signal may come as soon as the file exists.
        _unfinished.add(part)
        try:
            stream = open(part, "xb", buffering=0)
        except OSError as error:
            _unfinished.discard(part)
            raise self._refused("creating a file beside", error) from error
        self._part = part
        return stream

    def _open_directly(self) -> FileIO:
        self.direct = True
        try:
            return open(self._shown, "wb", buffering=0)
        except OSError as error:
            raise self._refused("opening", error) from error

    def publish(self) -> None:
        """Make what was written durable, and visible under its name."""
        try:
            if self._part is None:
                self.stream.close()
                return
            os.fsync(self.stream.fileno())
            self.stream.close()
            self._rename(self._part)
        except FileExistsError:
            raise self._taken() from None
        except OSError as error:
            raise self._refused("completing", error) from error
        _unfinished.discard(self._part)
        self._part = None
        try:
            _sync_folder(os.path.dirname(self._path))
        except OSError as error:
            raise errors.OutputError(
                f"{self._shown!r} is there and whole, but syncing its folder gave "
                f"{error.strerror or error}; a power cut may still undo it"
            ) from error

    def _rename(self, part: str) -> None:
        if self._replace:
            os.replace(part, self._path)
            return
        if os.name == "nt":  # where a rename never replaces
            os.rename(part, self._path)
            return
        try:
            os.link(part, self._path)
        except FileExistsError:
            raise
        except OSError:
            # No hard links here (FAT, some shares): look, then rename.
            if os.path.lexists(self._path):
                raise FileExistsError from None
            os.rename(part, self._path)
        else:
            # It may stay if it must: the file is there under its own name.
            _drop(part)

    def _taken(self) -> errors.DestinationExists:
        return errors.DestinationExists(
            f"{self._shown!r} exists and was left as it is; "
            "name another output, or replace it with --force"
        )

    def _refused(self, doing: str, error: OSError) -> errors.OutputError:
        return errors.OutputError(
            f"{doing} {self._shown!r} gave {error.strerror or error}; "
            "nothing was left there; mend that and run the command again"
        )


def _part_name(name: str) -> str:
    # Not NAME.part, which may be longer than a file name can be.
    return f".{crc32(os.fsencode(name)):08x}.{hexlify(os.urandom(8)).decode()}.part"


def _drop(part: str) -> None:
    # It may be gone: renamed in the moment in which a signal came, or swept away.
    try:  # noqa: SIM105  importing contextlib takes a millisecond
        os.unlink(part)
    except OSError:
        pass
    _unfinished.discard(part)


def _sync_folder(folder: str) -> None:
    if os.name == "nt":  # where folders cannot be opened, and renames are journalled
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
