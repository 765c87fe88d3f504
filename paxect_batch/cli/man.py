"""The man page, made from the same table as `--help`.

`python -m paxect_batch.cli.man docs/man/paxect-batch.1` writes it; a test holds the
file equal to what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from paxect_batch.cli.commands import (
    COMMANDS,
    EXIT_CODES,
    PROGRAM,
    SUMMARY,
    WORST_FIRST,
    Command,
)
from paxect_batch.cli.help import option_words

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
    "error; nothing falls back to a default in silence."
)

_SIGNALS = {
    "SIGINT, SIGTERM": (
        "take no more files, finish what is being published, drop what is staged, "
        "print the audit line, exit; a second one ends at once, and any node can "
        "finish what is left"
    ),
    "SIGHUP": "open the log anew, as after its rotation by another program",
}


def page() -> str:
    """Return the man page as roff source."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield '.\\" Made by paxect_batch/cli/man.py; change what it is made from.'
    yield f'.TH {PROGRAM.upper()} 1 "" "{PROGRAM}" "User Commands"'
    yield ".SH NAME"
    yield f"{_plain(PROGRAM)} \\- {_plain(_lower_first(SUMMARY))}"
    yield ".SH SYNOPSIS"
    for name, command in COMMANDS.items():
        yield f".B {_plain(PROGRAM)} {name}"
        yield f"{_plain('[OPTION...] ' + command.operands)}"
        yield ".br"
    yield ".SH COMMANDS"
    for name, command in COMMANDS.items():
        yield from _command(name, command)
    yield ".SH SETTINGS"
    yield _plain(_SETTINGS)
    yield ".SH SIGNALS"
    yield from _items(_SIGNALS)
    yield ".SH EXIT STATUS"
    yield from _items({str(code): text for code, text in EXIT_CODES.items()})
    yield ".PP"
    yield _plain(f"When several apply, the first of these counts: {WORST_FIRST}.")
    yield ".SH OUTPUT"
    yield _plain(
        "The last line of standard output of a run is AUDIT_SUMMARY_JSON= and one JSON "
        "object with sorted keys. In it, seen is the sum of delivered, set_aside, "
        "blocked and waiting, in files and in bytes. Warnings and the progress bar go "
        "to standard error."
    )
    yield ".SH FILES"
    yield from _items(_FILES)


def _command(name: str, command: Command) -> Iterator[str]:
    yield f".SS {_plain(name)} {_plain(command.operands)}".rstrip()
    yield _plain(command.summary)
    yield from _items({option_words(each): each.text for each in command.options})
    yield ".PP"
    yield "Examples:"
    yield ".PP"
    yield ".nf"
    for example in command.examples:
        yield f"  {_plain(example)}"
    yield ".fi"


def _items(items: dict[str, str]) -> Iterator[str]:
    for term, text in items.items():
        yield ".TP"
        yield f".B {_plain(term)}"
        yield _plain(text)


def _plain(text: str) -> str:
    """Return text that roff leaves as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:].rstrip(".")


def main(words: list[str]) -> int:
    """Write the page to the file that is named, or print it."""
    if words:
        with open(words[0], "w", encoding="utf-8", newline="\n") as stream:
            stream.write(page())
    else:
        sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
