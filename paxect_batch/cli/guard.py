"""The last stop of every command: whatever ended it becomes a line and an exit code."""

from __future__ import annotations

from paxect_batch.cli import console
from paxect_batch.cli.colours import Tone
from paxect_batch.model.errors import BatchError, Exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def guarded(command: Callable[[], int]) -> int:
    """Return the exit code of a command, also of one that fails."""
    try:
        code = command()
        console.flush()
    except KeyboardInterrupt:
        console.complain("stopped by Ctrl-C; nothing is left half done")
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        console.give_up()  # whoever read the output has gone, and wants to hear no more
        code = Exit.SHARE
    except Exception as error:  # noqa: BLE001  no traceback for users
        code = explain(error)
        if isinstance(error, OSError):
            console.give_up()
    return int(code)


def explain(error: Exception) -> Exit:
    """Tell a person of what ended a command; return what it means for the exit code."""
    if isinstance(error, BatchError):
        console.complain(error.message, Tone.BAD)
        return error.exit_code
    if isinstance(error, MemoryError):
        console.complain(
            "out of memory; files are as they were; use fewer --workers", Tone.BAD
        )
        return Exit.SHARE
    if isinstance(error, OSError):
        text = f"{console.os_error_text(error)}; see that it can be used"
        console.complain(text, Tone.BAD)
        return Exit.SHARE
    console.complain(
        f"a fault in the program: {console.fault_text(error)}; files on the share "
        "are safe, the next run goes on with them; please report this line",
        Tone.BAD,
    )
    return Exit.FAULT
