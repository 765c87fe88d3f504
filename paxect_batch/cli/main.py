"""The command `paxect-batch`: words in, one command run, an exit code out.

Starts fast, since each command is loaded only when it is asked for: `--help` and
`--version` touch neither a share nor a library.
"""

from __future__ import annotations

import sys

from paxect_batch.cli import console
from paxect_batch.cli.arguments import parse
from paxect_batch.cli.commands import PROGRAM
from paxect_batch.cli.guard import guarded
from paxect_batch.model.errors import Exit
from paxect_batch.world import garbage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from paxect_batch.cli.arguments import Arguments

_MODULES = {
    "demo": "demo",
    "init": "init",
    "drain": "drain",
    "watch": "watch",
    "verify": "verify",
    "status": "status",
    "serve": "serve",
    "top": "top",
    "report": "report",
    "dashboard": "dashboard",
    "quarantine": "quarantine",
    "config": "config_show",
    "manifest": "manifest",
    "doctor": "doctor",
    "pace": "pace",
    "explain": "explain",
    "schema": "schema",
    "completion": "completion",
}
"""The module of each command; its `command` is called."""


def main(words: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    console.prepare()
    console.ends_with_the_run = words is None
    if words is None:
        garbage.look_for_seldom()
    given = sys.argv[1:] if words is None else words
    return guarded(lambda: _run(given))


def _run(words: list[str]) -> int:
    arguments = parse(words)
    return _command(arguments.command)(arguments)


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
