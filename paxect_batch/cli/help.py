"""The help of the program and of each command; each fits a screen."""

from __future__ import annotations

from paxect_batch.cli.commands import (
    COMMANDS,
    EXIT_CODES,
    PROGRAM,
    SUMMARY,
    WORST_FIRST,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from paxect_batch.cli.commands import Command, Option


def help_text(name: str = "") -> str:
    """Return the help of one command, or of the program."""
    command = COMMANDS.get(name)
    lines = _program() if command is None else _command(name, command)
    return "\n".join(lines)


def option_words(option: Option) -> str:
    """Return how an option is written, such as `-h, --help`."""
    short = f"-{option.short}, " if option.short else ""
    name = f"--[no-]{option.name}" if option.negatable else f"--{option.name}"
    return f"{short}{name} {option.takes}".rstrip()


def _program() -> Iterator[str]:
    yield f"usage: {PROGRAM} COMMAND [OPTION...]"
    yield ""
    yield SUMMARY
    yield ""
    for name, command in COMMANDS.items():
        yield f"  {name:<12}{command.summary}"
    yield ""
    yield f"  {PROGRAM} COMMAND --help   options and examples of a command"
    yield f"  {PROGRAM} --drain SHARE    the same as: {PROGRAM} drain SHARE"
    yield f"  {PROGRAM} --version        versions of the relay and of its codec"
    yield ""
    yield "examples:"
    yield f"  {PROGRAM} init /mnt/exchange"
    yield f"  {PROGRAM} drain /mnt/exchange"
    yield ""
    yield "exit codes:"
    for code, text in EXIT_CODES.items():
        yield f"  {code:<5}{text}"
    yield f"  If several apply, the first of these counts: {WORST_FIRST}."


def _command(name: str, command: Command) -> Iterator[str]:
    yield f"usage: {PROGRAM} {name} [OPTION...] {command.operands}".rstrip()
    yield ""
    yield command.summary
    yield ""
    for option in command.options:
        yield f"  {option_words(option):<20}{option.text}"
    yield ""
    yield "examples:"
    for example in command.examples:
        yield f"  {example}"
    yield ""
    yield "exit codes:"
    for code in command.exit_codes:
        yield f"  {code:<5}{EXIT_CODES[code]}"
