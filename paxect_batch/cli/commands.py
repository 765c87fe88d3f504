"""Every command with its options and examples, and every exit code: data, no more.

What is parsed, what `--help` shows and what the man page says all come from here.
"""

from __future__ import annotations

from paxect_core.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "paxect-batch"
SUMMARY = "Relay files through folders that several machines share, losing nothing."


class Option(Struct):
    """One option: long name, what it takes if anything, help, short name if any."""

    name: str
    takes: str
    text: str
    short: str = ""
    negatable: bool = False
    """Whether `--no-NAME` is an option as well."""


_CONFIG = Option("config", "FILE", "read settings from this TOML file")
_JSON = Option("json", "", "print JSON for programs instead of text for people")
_HELP = Option("help", "", "show this help and stop", "h")
_QUIET = Option("quiet", "", "print warnings and the audit line, nothing else", "q")
_FOLDERS = (
    Option("inbox", "DIR", "take files from DIR instead of from a SHARE's inbox"),
    Option("outbox", "DIR", "deliver to DIR; goes with --inbox"),
    Option("wire", "DIR", "keep containers in DIR; goes with --inbox"),
)
_ANYWHERE = (*_FOLDERS, _CONFIG, _JSON, _HELP)

_DRY_RUN = Option(
    "dry-run", "", "say what would be done with each file; do nothing", "n"
)
_POLL = Option("poll-seconds", "N", "look for new files every N seconds (default 2)")
_ANYONE = Option("listen-anywhere", "FILE", "to others too, with the token in FILE")
_WAIT = Option("wait", "", "go on until other nodes are done as well")
_RUN = (
    Option("direction", "NAME", "encode, decode, or relay, which is both (default)"),
    *_FOLDERS,
    Option("node", "NAME", "name of this node (default: the host's name)"),
    Option("workers", "N", "worker processes (default: one for each core)"),
    Option("policy", "FILE", "policy to keep to (default: the share's own)"),
    Option("hmac-key-file", "FILE", "sign manifests with the key in this file"),
    Option("deadline", "WHEN", "take no file after a time (05:30) or a span (2h)"),
    Option("max-files", "N", "take no more than N files"),
    Option("max-rate", "RATE", "read no more than this, such as 50MB/s"),
    Option("max-files-per-minute", "N", "take no more than N files a minute"),
    Option("quiet-hours", "HOURS", "take none from 08:00-18:00; or ...@25%: less"),
    Option("nice", "N", "let others go first: 0 (default) to 19, always"),
    Option("pace", "", "slow down before it hurts others, or not", negatable=True),
    Option("allow-mixed", "", "work beside nodes of another codec or policy"),
    _DRY_RUN,
    Option("listen", "ADDR", "show the run and its share at http://ADDR/"),
    _ANYONE,
    Option("junit", "FILE", "write the run as JUnit XML"),
    Option("textfile", "FILE", "write the run as Prometheus metrics"),
    Option("log", "FILE", "log events to FILE (default: the share's own log)"),
    Option("log-format", "NAME", "jsonl (default), ecs, or splunk-hec"),
    Option("progress", "", "show a progress bar, or not", negatable=True),
    Option("summary", "", "show a summary at the end, or not", negatable=True),
    _QUIET,
    _CONFIG,
    _JSON,
    _HELP,
)


class Command(Struct):
    """One command: summary, operands, options, examples, the exit codes it may give."""

    summary: str
    operands: str
    operands_max: int
    options: tuple[Option, ...]
    examples: tuple[str, ...]
    exit_codes: tuple[int, ...]
    actions: tuple[str, ...] = ()
    """What the first operand has to be one of, if anything."""

    def option_names(self) -> Iterator[str]:
        """Give the long names of all options."""
        for option in self.options:
            yield option.name
            if option.negatable:
                yield f"no-{option.name}"


COMMANDS = {
    "demo": Command(
        "Show it all on sample files, in a temporary folder.",
        "",
        0,
        (
            Option("folder", "DIR", "in DIR, which is kept; it must be new or empty"),
            Option("keep", "", "keep the temporary folder, to look around in"),
            _HELP,
        ),
        (
            "paxect-batch demo",
            "paxect-batch demo --folder tour && ls tour/share/outbox",
        ),
        (0, 2, 3, 64, 130, 143),
    ),
    "init": Command(
        "Lay out a share: its folders, its marker, and a commented policy.",
        "SHARE",
        1,
        (_QUIET, _HELP),
        (
            "paxect-batch init /mnt/exchange",
            "paxect-batch init . && ls -A",
        ),
        (0, 3, 64),
    ),
    "drain": Command(
        "Work until nothing that may travel is left, and exit.",
        "[SHARE]",
        1,
        (_WAIT, *_RUN),
        (
            "paxect-batch drain /mnt/exchange --wait",
            "paxect-batch drain --inbox /srv/in --outbox /srv/out --deadline 05:30",
        ),
        (0, 1, 2, 3, 4, 64, 75, 130, 143),
    ),
    "watch": Command(
        "Go on relaying until told to stop.",
        "[SHARE]",
        1,
        (_POLL, *_RUN),
        (
            "paxect-batch watch /mnt/exchange",
            "paxect-batch watch /mnt/exchange --direction decode --node edge-7",
        ),
        (0, 1, 2, 3, 4, 64, 75, 130, 143),
    ),
    "verify": Command(
        "Check containers, sidecars, delivered files and records.",
        "[SHARE]",
        1,
        (_QUIET, *_ANYWHERE),
        (
            "paxect-batch verify /mnt/exchange",
            "paxect-batch verify --json /mnt/exchange | jq .findings",
        ),
        (0, 1, 2, 3, 4, 64, 75),
    ),
    "status": Command(
        "Show nodes, what waits, is in flight or set aside, the last run.",
        "[SHARE]",
        1,
        _ANYWHERE,
        (
            "paxect-batch status /mnt/exchange",
            "paxect-batch status --json /mnt/exchange | jq .waiting.files",
        ),
        (0, 3, 64, 75),
    ),
    "serve": Command(
        "Show a share over HTTP, to people and to monitoring.",
        "[SHARE]",
        1,
        (
            Option("listen", "ADDR", "listen there (default 127.0.0.1:8081)"),
            _ANYONE,
            _QUIET,
            *_FOLDERS,
            _CONFIG,
            _HELP,
        ),
        (
            "paxect-batch serve /mnt/exchange",
            "paxect-batch serve /mnt/exchange --listen 127.0.0.1:9000",
        ),
        (64, 75, 130, 143),
    ),
    "top": Command(
        "Show a share in a terminal, anew each second; q quits.",
        "[SHARE]",
        1,
        _ANYWHERE,
        (
            "paxect-batch top /mnt/exchange",
            "paxect-batch top --json /mnt/exchange | jq .health",
        ),
        (0, 3, 64, 75, 130, 143),
    ),
    "report": Command(
        "Write a page about one run, to keep or to print.",
        "[SHARE]",
        1,
        (
            Option("run", "ID", "about this run (default: the one that began last)"),
            Option("to", "FILE", "write to FILE (default: standard output)"),
            *_FOLDERS,
            _CONFIG,
            _HELP,
        ),
        (
            "paxect-batch report /mnt/exchange > report.html",
            "paxect-batch report /mnt/exchange --to report.html",
        ),
        (0, 3, 64, 75),
    ),
    "dashboard": Command(
        "Print a dashboard for Grafana, or alert rules for Prometheus.",
        "grafana|alerts",
        1,
        (_HELP,),
        (
            "paxect-batch dashboard grafana > paxect-batch.json",
            "paxect-batch dashboard alerts > paxect-batch.rules.yml",
        ),
        (0, 64),
        ("grafana", "alerts"),
    ),
    "quarantine": Command(
        "List what was set aside, show why, retry it, or take it out.",
        "list|show|retry|release [SHARE] [ID]",
        3,
        (
            Option("all", "", "retry all that was set aside"),
            Option("to", "PATH", "where `release` puts the file; never replaces one"),
            *_ANYWHERE,
        ),
        (
            "paxect-batch quarantine list /mnt/exchange",
            "paxect-batch quarantine retry /mnt/exchange --all",
        ),
        (0, 1, 3, 64, 75),
        ("list", "show", "retry", "release"),
    ),
    "config": Command(
        "Show every setting, its value, and where that came from.",
        "show [SHARE]",
        2,
        tuple(o for o in _RUN if o is not _DRY_RUN),
        (
            "paxect-batch config show /mnt/exchange",
            "PAXECT_BATCH_WORKERS=4 paxect-batch config show --json",
        ),
        (0, 64, 75),
        ("show",),
    ),
    "manifest": Command(
        "Print the batch digest, and write checksums of what was delivered.",
        "[SHARE]",
        1,
        (
            Option("run", "ID", "of this run only (default: all runs of all nodes)"),
            Option(
                "checksums", "FILE", "write a file for `sha256sum -c`; - to print it"
            ),
            *_ANYWHERE,
        ),
        (
            "paxect-batch manifest /mnt/exchange",
            "paxect-batch manifest /mnt/exchange --checksums SHA256SUMS",
        ),
        (0, 1, 3, 64, 75),
    ),
    "doctor": Command(
        "Try whether a share is fit (0), fit with care (1) or not fit (3).",
        "SHARE",
        1,
        (
            Option("peer", "", "try it with a doctor --peer on a second machine"),
            Option("peer-seconds", "N", "wait N seconds for the peer (default 60)"),
            Option("pin", "", "write what locks rest on into the share's marker"),
            _CONFIG,
            _JSON,
            _HELP,
        ),
        (
            "paxect-batch doctor /mnt/exchange",
            "paxect-batch doctor --peer --json /mnt/exchange | jq .verdict",
        ),
        (0, 1, 3, 64, 75, 130, 143),
    ),
    "pace": Command(
        "Decide on the pace again, from what stands in an event log.",
        "replay LOG",
        2,
        (_JSON, _HELP),
        (
            "paxect-batch pace replay /mnt/exchange/.paxect/log/node.jsonl",
            "paxect-batch pace replay --json node.jsonl | jq .pace.cause",
        ),
        (0, 2, 3, 64),
        ("replay",),
    ),
    "explain": Command(
        "Tell what an event, reason or code means, and what to do about it.",
        "[WORD...]",
        4,
        (_JSON, _HELP),
        (
            "paxect-batch explain checksum_mismatch",
            "paxect-batch explain 75",
        ),
        (0, 64),
    ),
    "schema": Command(
        "List the JSON Schemas of all that is written down, or print one.",
        "[NAME]",
        1,
        (_HELP,),
        (
            "paxect-batch schema",
            "paxect-batch schema audit > audit.schema.json",
        ),
        (0, 64),
    ),
    "completion": Command(
        "Print a script that completes words in bash, zsh or fish.",
        "bash|zsh|fish",
        1,
        (_HELP,),
        (
            "paxect-batch completion bash > paxect-batch.bash",
            "paxect-batch completion fish > paxect-batch.fish",
        ),
        (0, 64),
        ("bash", "zsh", "fish"),
    ),
}

EXIT_CODES = {
    0: "all delivered, or nothing to do",
    1: "finished, but something was blocked, set aside, or is still waiting",
    2: "an integrity failure was seen",
    3: "the share, a disk or a file failed",
    4: "a container's structure is broken",
    64: "wrong usage or configuration; nothing was touched",
    70: "a fault in this program; report it",
    75: "another instance runs here, or the share is not ready",
    130: "stopped by Ctrl-C",
    143: "stopped by SIGTERM",
}
WORST_FIRST = "130, 143, 64, 75, 70, 3, 2, 4, 1"
