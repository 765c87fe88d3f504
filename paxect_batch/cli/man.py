"""The man page of each program, made from the same tables as `--help`.

`python -m paxect_batch.cli.man docs/man/*` writes them; a test holds the files equal to
what this makes.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator

from paxect_batch.cli.commands import (
    COMMANDS,
    EXIT_CODES,
    PROGRAM,
    SUMMARY,
    WORST_FIRST,
    Command,
)
from paxect_batch.cli.help import option_words
from paxect_batch.cli.link import HELP as LINK_HELP
from paxect_core import options as core

DATE = "2026-11-21"
"""Of the last change to what the pages tell; a page has to have one."""
_COLUMNS = 79
_CORE = "paxect-core"
_CORE_SUMMARY = "Make, check and open deterministic .freq containers."
_LINK = "paxect-link"

_FILES = {
    "SHARE/.paxect/share.json": "marks a share, and names its folders",
    "SHARE/.paxect/policy.toml": "the policy: which files travel, and how",
    "SHARE/.paxect/config.toml": "settings of all who work on this share",
    "~/.config/paxect-batch/config.toml": "settings, where the share has none",
    "SHARE/.paxect/log/NODE.jsonl": "events, one JSON object a line",
    "SHARE/.paxect/runs/NODE/RUN.json": "the audit of each run",
    "SHARE/.paxect/settings/NODE/RUN.json": "the settings of each run, with origins",
    "SHARE/.paxect/quarantine/ID/": "what was set aside, each with reason.json",
}

_SETTINGS = (
    "A setting is looked for in the options, then in the environment, then in the "
    "first of these files that is there: the one named by --config or "
    "PAXECT_BATCH_CONFIG, SHARE/.paxect/config.toml, "
    "~/.config/paxect-batch/config.toml. Variables are PAXECT_BATCH_ and the "
    "setting's name in capitals; keys in the file are the names as paxect-batch "
    "config show prints them. Of PAXECT_LINK_*, those for INBOX, OUTBOX, POLICY, LOG, "
    "LOG_MAX and POLL_SEC count where ours are not set. PAXECT_BATCH_HMAC_KEY holds "
    "the key for signing manifests. An unknown name or an impossible value is an "
    "error; nothing falls back to a default in silence. Where NO_COLOR is set to "
    "anything, nothing is shown in colours, which only a terminal is ever told."
)

_SIGNALS = {
    "SIGINT, SIGTERM": (
        "take no more files, finish what is being published, drop what is staged, "
        "print the audit line, exit; a second one ends at once, and any node can "
        "finish what is left"
    ),
    "SIGHUP": "open the log anew, as after its rotation by another program",
}


def page(program: str) -> str:
    """Return the man page of a program as roff source."""
    return "\n".join(PAGES[program]()) + "\n"


def _relay() -> Iterator[str]:
    yield from _title(PROGRAM, SUMMARY)
    yield from _synopsis(
        PROGRAM, {name: command.operands for name, command in COMMANDS.items()}
    )
    yield ".SH COMMANDS"
    for name, command in COMMANDS.items():
        yield from _command(name, command)
    yield ".SH SETTINGS"
    yield from _text(_SETTINGS)
    yield ".SH SIGNALS"
    yield from _items(_SIGNALS)
    yield ".SH EXIT STATUS"
    yield from _items({str(code): text for code, text in EXIT_CODES.items()})
    yield ".PP"
    yield from _text(f"When several apply, the first of these counts: {WORST_FIRST}.")
    yield ".SH OUTPUT"
    yield from _text(
        "The last line of standard output of a run is AUDIT_SUMMARY_JSON= and one JSON "
        "object with sorted keys. In it, seen is the sum of delivered, set_aside, "
        "blocked and waiting, in files and in bytes. Warnings and the progress bar go "
        "to standard error."
    )
    yield ".SH FILES"
    yield from _items(_FILES)
    yield from _see_also(_CORE, _LINK)


def _engine() -> Iterator[str]:
    yield from _title(_CORE, _CORE_SUMMARY)
    yield from _synopsis(
        _CORE, {name: command.operands for name, command in core.COMMANDS.items()}
    )
    yield ".SH DESCRIPTION"
    yield from _text(
        "A container is a function of the input, the settings and the version of the "
        "codec: the same bytes on every machine. It is read strictly, and an output "
        "file appears under its name only when all of it was verified and made durable."
    )
    yield ".SH COMMANDS"
    for name, command in core.COMMANDS.items():
        yield f".SS {_plain(name)} {_plain(command.operands)}".rstrip()
        yield from _text(command.summary)
        yield from _items({_core_words(each): each.text for each in command.options})
        yield from _examples(command.examples)
    yield ".SH ENVIRONMENT"
    yield from _items(
        {"PAXECT_MAX_INPUT_MB": "refuse inputs of more MiB; --max-input-mb goes before"}
    )
    yield ".SH EXIT STATUS"
    yield from _items(core.EXIT_CODES)
    yield ".PP"
    yield from _text(f"With several files {core.WORST}.")
    yield from _see_also(PROGRAM, _LINK)


def _bridge() -> Iterator[str]:
    usage, summary, *rest = LINK_HELP.split("\n\n")
    yield from _title(_LINK, "Relay an inbox to an outbox as PAXECT Link 1.2.0 does.")
    yield from _synopsis(_LINK, {"": ""})
    yield ".SH DESCRIPTION"
    yield from _text(" ".join(summary.split()))
    yield from _verbatim("\n\n".join(rest).splitlines())
    yield from _see_also(PROGRAM, _CORE)
    assert usage == f"usage: {_LINK}"


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    PROGRAM: _relay,
    _CORE: _engine,
    _LINK: _bridge,
}


def _title(program: str, summary: str) -> Iterator[str]:
    yield '.\\" Made by paxect_batch/cli/man.py; change what it is made from.'
    yield f'.TH {program.upper()} 1 {DATE} "paxect-batch" "User Commands"'
    yield ".SH NAME"
    yield f"{_plain(program)} \\-"
    yield from _text(_lower_first(summary))


def _synopsis(program: str, operands: dict[str, str]) -> Iterator[str]:
    yield ".SH SYNOPSIS"
    yield ".nf"
    for name, taken in operands.items():
        options = f" [OPTION...] {taken}".rstrip() if name else ""
        yield f"\\fB{_plain(f'{program} {name}'.rstrip())}\\fR{_plain(options)}"
    yield ".fi"


def _command(name: str, command: Command) -> Iterator[str]:
    yield f".SS {_plain(name)} {_plain(command.operands)}".rstrip()
    yield from _text(command.summary)
    yield from _items({option_words(each): each.text for each in command.options})
    yield from _examples(command.examples)


def _core_words(option: core.Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{option.name} {option.takes}".rstrip()


def _examples(examples: tuple[str, ...]) -> Iterator[str]:
    yield ".PP"
    yield "Examples:"
    yield from _verbatim(f"  {example}" for example in examples)


def _verbatim(lines: Iterable[str]) -> Iterator[str]:
    yield ".PP"
    yield ".nf"
    yield from map(_plain, lines)
    yield ".fi"


def _see_also(*programs: str) -> Iterator[str]:
    yield ".SH SEE ALSO"
    for program in programs[:-1]:
        yield f".BR {_plain(program)} (1),"
    yield f".BR {_plain(programs[-1])} (1)"


def _items(items: dict[str, str]) -> Iterator[str]:
    for term, text in items.items():
        yield ".TP"
        yield f".B {_plain(term)}"
        yield from _text(text)


def _text(text: str) -> Iterator[str]:
    """Give text on lines that are filled anew when they are shown."""
    # Escapes lengthen a line; a word is not broken, since it would be shown broken.
    yield from map(_plain, textwrap.wrap(text, _COLUMNS - 9, break_on_hyphens=False))


def _plain(text: str) -> str:
    """Return text that roff leaves as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:].rstrip(".")


def main(words: list[str]) -> int:
    """Write the pages that files are named after, or print that of the relay."""
    for word in words:
        program = os.path.basename(word).removesuffix(".1")
        with open(word, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(page(program))
    if not words:
        sys.stdout.write(page(PROGRAM))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
