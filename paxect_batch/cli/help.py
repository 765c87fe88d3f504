"""The help of the program and of each command; on 80 columns and 24 lines by default.

What does not fit there is named, and told in full by `paxect-batch help all` and
`paxect-batch help COMMAND all`.
"""

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
    from collections.abc import Iterable, Iterator

    from paxect_batch.cli.commands import Command, Option

COLUMNS = 80
LINES = 23
"""One of 24 is for the prompt that follows."""

EXAMPLES = (f"{PROGRAM} init /mnt/exchange", f"{PROGRAM} drain /mnt/exchange")

_ALL = "all"
_AROUND = 9
"""Lines of a command's help that are no options."""
_SELDOM = frozenset(("config", "pace", "schema", "dashboard", "completion"))
"""Commands that the screen only names: for setting up, and for programs."""
_EVERYDAY = frozenset(
    (
        *("wait", "poll-seconds", "direction", "inbox", "outbox", "policy"),
        *("deadline", "dry-run", "json", "help"),
    )
)
"""Options that are told where not all can be."""


def help_text(*words: str) -> str:
    """Return the help of one command or of the program; in full if `all` ends words."""
    whole = words[-1:] == (_ALL,)
    name = words[0] if words else _ALL
    command = COMMANDS.get(name)
    if command is None:
        lines = _program_whole() if whole else _program()
    else:
        lines = _command_whole(name, command) if whole else _command(name, command)
    return "\n".join(lines)


def option_words(option: Option) -> str:
    """Return how an option is written, such as `-h, --help`."""
    short = f"-{option.short}, " if option.short else ""
    name = f"--[no-]{option.name}" if option.negatable else f"--{option.name}"
    return f"{short}{name} {option.takes}".rstrip()


def _program() -> Iterator[str]:
    yield f"usage: {PROGRAM} COMMAND [OPTION...]"
    yield SUMMARY
    yield ""
    for name, command in COMMANDS.items():
        if name not in _SELDOM:
            yield f"  {name:<12}{command.summary}"
    yield f"  and: {', '.join(name for name in COMMANDS if name in _SELDOM)}"
    yield ""
    yield from _examples(EXAMPLES)
    yield f"{PROGRAM} COMMAND --help: its options; {PROGRAM} help all: exit codes"


def _program_whole() -> Iterator[str]:
    yield f"usage: {PROGRAM} COMMAND [OPTION...]"
    yield SUMMARY
    yield ""
    for name, command in COMMANDS.items():
        yield f"  {name:<12}{command.summary}"
    yield ""
    yield f"  {PROGRAM} COMMAND --help     options and examples of a command"
    yield f"  {PROGRAM} help COMMAND all   each of its options, and its exit codes"
    yield f"  {PROGRAM} --drain SHARE      the same as: {PROGRAM} drain SHARE"
    yield f"  {PROGRAM} --version          versions of the relay and of its codec"
    yield ""
    yield "exit codes:"
    yield from _exit_codes(EXIT_CODES)
    yield f"  If several apply, the first of these counts: {WORST_FIRST}."


def _command(name: str, command: Command) -> Iterator[str]:
    told, named = list(command.options), list[str]()
    if len(told) > LINES - _AROUND:
        told = [each for each in command.options if each.name in _EVERYDAY]
        rest = [option_words(each) for each in command.options if each not in told]
        named = list(_wrapped(rest))
    yield from _heading(name, command)
    yield from _options(told)
    if named:
        yield f"more, of which `{PROGRAM} help {name} {_ALL}` tells:"
        yield from named
    yield ""
    yield from _examples(command.examples)
    codes = ", ".join(map(str, command.exit_codes))
    yield f"exit codes: {codes}; see `{PROGRAM} help {_ALL}`"


def _command_whole(name: str, command: Command) -> Iterator[str]:
    yield from _heading(name, command)
    yield from _options(command.options)
    yield ""
    yield from _examples(command.examples)
    yield ""
    yield "exit codes:"
    yield from _exit_codes(command.exit_codes)


def _heading(name: str, command: Command) -> Iterator[str]:
    yield f"usage: {PROGRAM} {name} [OPTION...] {command.operands}".rstrip()
    yield command.summary
    yield ""


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        yield f"  {option_words(option):<20} {option.text}"


def _examples(examples: Iterable[str]) -> Iterator[str]:
    yield "examples:"
    for example in examples:
        yield f"  {example}"


def _exit_codes(codes: Iterable[int]) -> Iterator[str]:
    for code in codes:
        yield f"  {code:<5}{EXIT_CODES[code]}"


def _wrapped(words: Iterable[str]) -> Iterator[str]:
    line = " "
    for word in words:
        if len(line) + len(word) + 2 > COLUMNS:
            yield line
            line = " "
        line += f" {word},"
    yield line.rstrip(",")
