"""`docs/reference/commands.md` and `exit-codes.md`, from the tables of the commands."""

from collections.abc import Iterator

from page_parts import anchor, code, fenced, joined, page, table

from paxect_batch.cli.commands import COMMANDS, EXIT_CODES, PROGRAM, WORST_FIRST
from paxect_batch.cli.help import option_words
from paxect_batch.report.explanations import explained
from paxect_core import options as core

CORE = "paxect-core"
_LINK = """
## `paxect-link`

Takes no arguments but `--help` and `--version`, and reads the environment variables of
Link 1.2.0; see [link.md](../link.md).
"""
_TOP = """
Every command with all its options. `man paxect-batch` says the same. Most options are
[settings](settings.md) as well.
"""
_EXITS = """
Of `paxect-batch` and `paxect-link`. `paxect-core` gives 0, 2, 3, 4, 64, 130 and 143,
with the same meaning.
"""
_DRAIN = f"`{PROGRAM} --drain SHARE` is the same as `{PROGRAM} drain SHARE`."


def commands_page() -> str:
    """Return the page of all commands."""
    contents = [
        f"- [`{PROGRAM} {name}`](#{anchor(f'{PROGRAM} {name}')})" for name in COMMANDS
    ]
    contents += [
        f"- [`{CORE} {name}`](#{anchor(f'{CORE} {name}')})" for name in core.COMMANDS
    ]
    contents.append("- [`paxect-link`](#paxect-link)")
    return page(
        "Commands",
        _TOP,
        _DRAIN,
        "\n".join(contents),
        *(_batch(name) for name in COMMANDS),
        *(_core(name) for name in core.COMMANDS),
        _LINK,
    )


def _batch(name: str) -> str:
    command = COMMANDS[name]
    usage = f"{PROGRAM} {name} [OPTION...] {command.operands}".rstrip()
    rows = [(code(option_words(option)), option.text) for option in command.options]
    codes = ", ".join(map(str, command.exit_codes))
    return joined(
        (
            *_begin(f"{PROGRAM} {name}", command.summary, usage),
            table(("option", "means"), rows),
            "For example:",
            fenced("\n".join(command.examples)),
            f"[Exit codes](exit-codes.md): {codes}.",
        )
    )


def _core(name: str) -> str:
    command = core.COMMANDS[name]
    usage = f"{CORE} {name} [OPTION...] {command.operands}".rstrip()
    rows = [(code(_core_words(option)), option.text) for option in command.options]
    return joined(
        (
            *_begin(f"{CORE} {name}", command.summary, usage),
            table(("option", "means"), rows),
            "For example:",
            fenced("\n".join(command.examples)),
        )
    )


def _core_words(option: core.Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{option.name} {option.takes}".rstrip()


def _begin(name: str, summary: str, usage: str) -> Iterator[str]:
    yield f"## `{name}`"
    yield summary
    yield fenced(usage)


def exit_codes_page() -> str:
    """Return the page of the exit codes."""
    rows = []
    for number in EXIT_CODES:
        (each,) = explained(str(number))
        name = f"[{number}](../errors.md#{number})"
        rows.append((name, each.means, each.data, each.todo))
    return page(
        "Exit codes",
        _EXITS,
        table(("code", "means", "data", "do"), rows),
        f"If several apply, the first of {WORST_FIRST} counts.",
        table(
            ("command", "may end with"),
            (
                (code(name), ", ".join(map(str, command.exit_codes)))
                for name, command in COMMANDS.items()
            ),
        ),
        "Every command may also end with 70, a fault in the program.",
    )
