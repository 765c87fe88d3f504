"""Print a script by which a shell completes the words of both commands.

It is made from the tables that the commands are parsed by: commands, options, the
values of those that are a choice, and folders or files for those that take one.
"""

from __future__ import annotations

from paxect_batch.cli import commands as relay
from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.completion_scripts import SCRIPTS
from paxect_batch.cli.completion_words import Completed, Kind, Line, Word
from paxect_batch.cli.settings import SETTINGS
from paxect_batch.model.errors import Exit
from paxect_batch.report.explanations import EXPLANATIONS
from paxect_batch.report.schemas import SUBJECTS
from paxect_core import options as core
from paxect_core.wire import MAPPING_NAMES

_KINDS = {
    **dict.fromkeys(("FILE", "PATH", "LOG"), Kind.FILE),
    **dict.fromkeys(("DIR", "SHARE"), Kind.FOLDER),
}
_CORE_VALUES = {
    "mapping": tuple(MAPPING_NAMES),
    "channels": ("auto", *map(str, range(1, 9))),
}
_OPERANDS = {
    "schema": tuple(SUBJECTS),
    # Several words would have to be quoted, in each shell otherwise.
    "explain": tuple(
        sorted({each.word for each in EXPLANATIONS if " " not in each.word})
    ),
}
"""Words of an operand that stand in a table of their own."""


def command(arguments: Arguments) -> int:
    """Print the script for the shell that is named."""
    console.say(SCRIPTS[arguments.operands[0]](programs()).rstrip("\n"))
    return Exit.OK


def programs() -> tuple[Completed, ...]:
    """Return what can be completed of each program."""
    return (
        Completed(
            relay.PROGRAM,
            {name: _relay_line(name, each) for name, each in relay.COMMANDS.items()},
        ),
        Completed(
            "paxect-core",
            {name: _core_line(each) for name, each in core.COMMANDS.items()},
        ),
    )


def _relay_line(name: str, command: relay.Command) -> Line:
    options: list[Word] = []
    for option in command.options:
        setting = SETTINGS.get(option.name.replace("-", "_"))
        values = setting.kind.words if setting else ()
        options.append(
            Word(option.name, option.text, option.short, *_taken(option.takes, values))
        )
        if option.negatable:
            options.append(Word(f"no-{option.name}", "the opposite"))
    first = command.actions or _OPERANDS.get(name, ())
    return Line(command.summary, tuple(options), first, _operand(command.operands))


def _core_line(command: core.Command) -> Line:
    return Line(
        command.summary,
        tuple(
            Word(
                option.name,
                option.text,
                option.short,
                *_taken(option.takes, _CORE_VALUES.get(option.name, ())),
            )
            for option in command.options
        ),
        (),
        _operand(command.operands),
    )


def _taken(takes: str, values: tuple[str, ...]) -> tuple[Kind, tuple[str, ...]]:
    if values:
        return Kind.CHOICE, values
    return _KINDS.get(takes, Kind.OTHER if takes else Kind.NOTHING), ()


def _operand(operands: str) -> Kind:
    """Return what an operand is that is none of a command's own words."""
    for word in operands.replace("...", "").split():
        if word.strip("[]") in _KINDS:
            return _KINDS[word.strip("[]")]
    return Kind.OTHER if operands else Kind.NOTHING
