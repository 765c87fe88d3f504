"""What goes to a person or to a pipe, and files that appear whole.

Standard output takes results, standard error takes warnings and the progress bar.
Nothing that is written here can end a run: who cannot be told is not told.
"""

from __future__ import annotations

import os
import sys

from paxect_batch.cli.colours import Tone, painted
from paxect_batch.cli.commands import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_WARNING = "warning:"
_speaker = PROGRAM
"""Which program it is that complains."""

ends_with_the_run = False
"""Whether this is a program of its own, and not called from another one."""


def prepare(program: str = PROGRAM) -> None:
    """Make both outputs able to take any name, and there at all."""
    from paxect_core.process import occupy_standard_descriptors

    global _speaker
    _speaker = program
    occupy_standard_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print a result; `OSError` if standard output cannot take it, which it names."""
    if sys.stdout is not None:
        try:
            sys.stdout.write(text + "\n")
        except OSError as error:
            raise _of_stdout(error) from error


def say_bytes(data: bytes) -> None:
    """Print a result that may be no text; see `say`."""
    if sys.stdout is not None:
        flush()
        try:
            sys.stdout.buffer.write(data)
        except OSError as error:
            raise _of_stdout(error) from error


def flush() -> None:
    """See to it that what was said has arrived; see `say`."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            raise _of_stdout(error) from error


def _of_stdout(error: OSError) -> OSError:
    # One that names nothing would read as if the share had met it.
    return OSError(error.errno, error.strerror, "standard output")


def give_up() -> None:
    """Keep Python from trying at exit what standard output did not take."""
    try:
        flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def complain(text: str, tone: Tone | None = None) -> None:
    """Print a warning or an error for a person; a terminal may colour who says so."""
    if sys.stderr is not None:
        who, what = f"{_speaker}:", _one_line(text)
        if what.startswith(_WARNING):
            who, what = f"{who} {_WARNING}", what.removeprefix(_WARNING + " ")
            tone = tone or Tone.CARE
        try:
            sys.stderr.write(f"{painted(who, tone, 2)} {what}\n")
            sys.stderr.flush()
        except OSError:
            # Some versions of Python try again at exit, and say so in the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def is_terminal(fd: int) -> bool:
    """Tell whether a person may be reading the descriptor."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def columns(fd: int) -> int:
    """Return how wide the terminal there is, or is taken to be."""
    try:
        return os.get_terminal_size(fd).columns or 80
    except (OSError, ValueError):
        return 80


def size(fd: int) -> tuple[int, int]:
    """Return how many columns and rows the terminal there has, or is taken to have."""
    try:
        found = os.get_terminal_size(fd)
    except (OSError, ValueError):
        return 80, 24
    return found.columns or 80, found.lines or 24


def os_error_text(error: OSError) -> str:
    """Return what the system said, and of which path."""
    text = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return text
    return f"{os.fsdecode(error.filename)!r}: {text}"


def fault_text(error: Exception) -> str:
    """Return what a fault is and where it arose, on one line."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = os.path.basename(trace.tb_frame.f_code.co_filename)
        place = f" at {name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"


def write_whole(path: str, parts: Iterable[bytes]) -> None:
    """Write a file that appears whole, in place of what was there."""
    from paxect_batch.model.errors import ShareError
    from paxect_core.destination import Destination
    from paxect_core.errors import OutputError
    from paxect_core.streams import write_all

    try:
        with Destination(path, replace=True) as output:
            for part in parts:
                write_all(output.stream, part)
            output.publish()
    except OutputError as error:
        raise ShareError(error.message) from error
    except OSError as error:
        raise ShareError(
            f"writing {path!r} gave {error.strerror or error}; what was there is as "
            "it was; mend that and run the command again"
        ) from error


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
