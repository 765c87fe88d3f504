"""The command line, from words to a command with its options and operands; pure."""

from __future__ import annotations

from getopt import GetoptError, gnu_getopt

from paxect_batch.cli.commands import COMMANDS, PROGRAM
from paxect_batch.model.errors import ConfigError
from paxect_core.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from paxect_batch.cli.commands import Command


class Arguments(Struct):
    """A command, its options' words by long name, and its operands."""

    command: str
    values: dict[str, str]
    operands: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Tell whether the option was given."""
        return name in self.values


def parse(words: list[str]) -> Arguments:
    """Return what the words after the program's name ask for, or raise `ConfigError`.

    The commands `help` and `version` stand for the options of these names, and
    `--drain` for the command.
    """
    words = _with_command(words)
    if not words or words[0] in ("-h", "--help", "help"):
        return _help(words[1:])
    if words[0] in ("--version", "version"):
        return Arguments("version", {}, ())
    name = words[0]
    command = _named(name)
    values, operands = _split(name, command, words[1:])
    if "help" in values:
        return Arguments("help", {}, (name,))
    _check_operands(name, command, operands)
    return Arguments(name, values, tuple(operands))


def suggestion(word: str, known: Iterable[str], prefix: str = "") -> str:
    """Return a question that names the closest known word, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    # Something else is wrong about a word that is known.
    is_meant = bool(close) and close[0] != word
    return f"; did you mean {prefix}{close[0]}?" if is_meant else ""


def _with_command(words: list[str]) -> list[str]:
    if "--drain" in words and (not words or words[0] not in COMMANDS):
        rest = list(words)
        rest.remove("--drain")
        return ["drain", *rest]
    return words


def _help(words: list[str]) -> Arguments:
    """Return what asks for help: of nothing, of a command, or of `all` of either."""
    if words and words[0] != "all":
        _named(words[0])
    if words[1:] not in ([], ["all"]):
        raise ConfigError(
            f"{words[-1]!r} is nothing that help tells; nothing was touched; "
            f"use: {PROGRAM} help [COMMAND] [all]"
        )
    return Arguments("help", {}, tuple(words))


def _named(name: str) -> Command:
    if name not in COMMANDS:
        raise ConfigError(
            f"{name!r} is no command{suggestion(name, COMMANDS)}; nothing was touched; "
            f"{PROGRAM} --help lists the commands"
        )
    return COMMANDS[name]


def _split(
    name: str, command: Command, words: list[str]
) -> tuple[dict[str, str], list[str]]:
    takers = {option.name for option in command.options if option.takes}
    long_names = list(command.option_names())
    try:
        pairs, operands = gnu_getopt(
            words,
            "".join(
                o.short + (":" if o.takes else "") for o in command.options if o.short
            ),
            [word + ("=" if word in takers else "") for word in long_names],
        )
    except GetoptError as error:
        raise ConfigError(
            f"{error.msg}{suggestion(error.opt, long_names, '--')}; "
            f"nothing was touched; {PROGRAM} {name} --help lists the options"
        ) from None
    by_short = {f"-{o.short}": o.name for o in command.options if o.short}
    values: dict[str, str] = {}
    for word, value in pairs:
        long_name = by_short.get(word, word[2:])
        opposite = long_name.removeprefix("no-")
        if opposite == long_name:
            opposite = f"no-{long_name}"
        values.pop(opposite, None)
        values[long_name] = value
    return values, operands


def _check_operands(name: str, command: Command, operands: list[str]) -> None:
    usage = f"use: {PROGRAM} {name} {command.operands}".rstrip()
    if len(operands) > command.operands_max:
        word = operands[command.operands_max]
        raise ConfigError(
            f"{word!r} is one word too many; nothing was touched; {usage}"
        )
    needs_one = command.operands and not command.operands.startswith("[")
    if needs_one and not operands:
        raise ConfigError(f"{name} needs to be told more; nothing was touched; {usage}")
    if command.actions and operands[0] not in command.actions:
        raise ConfigError(
            f"{operands[0]!r} is nothing that {name} does"
            f"{suggestion(operands[0], command.actions)}; nothing was touched; {usage}"
        )
