"""The command as a process: its signals, and the descriptors it was started with."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO

_HEED_MILLISECONDS = 250

_caught: list[int] = []


class Stopped(BaseException):
    """A signal asked to stop; carries the exit code that says so."""

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code


def catch_signals() -> None:
    """Have the first signal raise `Stopped`, and a second one end the process."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup and shells in the background ignore some; so it stays.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            _caught.append(number)
            signal.signal(number, _stop)


def leave_signals() -> None:
    """Give signals back: nothing is half done, and they may end the process."""
    while _caught:
        signal.signal(_caught.pop(), signal.SIG_DFL)


def _stop(number: int, _frame: object) -> None:
    for caught in _caught:
        signal.signal(caught, _stop_now)
    raise Stopped(128 + number)


def _stop_now(number: int, _frame: object) -> None:
    drop_unfinished()
    os._exit(128 + number)


def drop_unfinished() -> None:
    """Remove the temporary file of an output that will not be."""
    # Not imported for this: without the module there is nothing to drop.
    destination = sys.modules.get("paxect_core.destination")
    if destination is not None:
        destination.drop_unfinished()


def standard_input() -> FileIO:
    """Open standard input, so that a signal is heeded while a read waits for data.

    One that comes just before the system is asked to read, or to another thread, does
    not interrupt that, and who writes the other end may keep it waiting for ever.
    """
    import io

    if sys.platform == "win32":
        return io.FileIO(0, "rb", closefd=False)
    import select

    ready = select.poll()
    ready.register(0, select.POLLIN)

    class Input(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            while not ready.poll(_HEED_MILLISECONDS):
                pass
            return super().read(size)

    return Input(0, "rb", closefd=False)


def occupy_standard_descriptors() -> None:
    """Take descriptors 0 to 2 where the caller closed them, so that each use fails.

    The next file to be opened would get the number, and what was meant for a person.
    """
    for fd, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, flags)
