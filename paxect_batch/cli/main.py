"""The command `paxect-batch`: words in, one command run, an exit code out.

Starts fast, since each command is loaded only when it is asked for: `--help` and
`--version` touch neither a share nor a library.
"""

from __future__ import annotations

import sys

from paxect_batch.cli import console
from paxect_batch.cli.arguments import parse
from paxect_batch.cli.commands import PROGRAM
from paxect_batch.model.errors import BatchError, Exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from paxect_batch.cli.arguments import Arguments

_MODULES = {
    "init": "init",
    "drain": "drain",
    "watch": "watch",
    "verify": "verify",
    "status": "status",
    "quarantine": "quarantine",
    "config": "config_show",
    "manifest": "manifest",
    "schema": "schema",
}
"""The module of each command; its `command` is called."""


def main(words: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    console.prepare()
    try:
        arguments = parse(sys.argv[1:] if words is None else words)
        code = _command(arguments.command)(arguments)
        console.flush()
    except BatchError as error:
        console.complain(error.message)
        code = error.exit_code
    except KeyboardInterrupt:
        console.complain("stopped by Ctrl-C; nothing is left half done")
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        console.give_up()  # whoever read the output has gone, and wants to hear no more
        code = Exit.SHARE
    except MemoryError:
        console.complain("out of memory; files are as they were; use fewer --workers")
        code = Exit.SHARE
    except OSError as error:
        console.complain(f"{console.os_error_text(error)}; see that it can be used")
        console.give_up()
        code = Exit.SHARE
    except Exception as error:  # noqa: BLE001  the last stop: no traceback for users
        console.complain(
            f"a fault in the program: {console.fault_text(error)}; files on the share "
            "are safe, the next run goes on with them; please report this line"
        )
        code = Exit.FAULT
    return int(code)


def _command(name: str) -> Callable[[Arguments], int]:
    if name == "help":
        return _help
    if name == "version":
        return _version
    from importlib import import_module

    module = import_module(f"paxect_batch.cli.{_MODULES[name]}")
    command: Callable[[Arguments], int] = module.command
    return command


def _help(arguments: Arguments) -> int:
    from paxect_batch.cli.help import help_text

    console.say(help_text(*arguments.operands))
    return Exit.OK


def _version(_arguments: Arguments) -> int:
    from paxect_core import __version__
    from paxect_core.codec import CODEC_VERSION

    console.say(f"{PROGRAM} {__version__} ({CODEC_VERSION})")
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
