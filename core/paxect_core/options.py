"""The command line of `paxect-core`, from words to values; pure.

The standard `getopt` splits the words and the tables below give them their meaning:
`argparse` would take as long to load as the rest of the program on a small file.
"""

from __future__ import annotations

from getopt import GetoptError, gnu_getopt

from paxect_core import cap, errors, limits, wire
from paxect_core.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from paxect_core.wire import Mapping


class Option(Struct):
    """One option: long name, short name if any, what it takes if anything, help."""

    name: str
    takes: str
    text: str
    short: str = ""


_INPUT = Option("input", "FILE", "read from FILE; - is standard input", "i")
_OUTPUT = Option("output", "FILE", "write to FILE; - is standard output", "o")
_THREADS = Option("threads", "N", "work on N frames at once; never changes a byte")
_FORCE = Option("force", "", "replace an existing output file, once the new is whole")
_JSON = Option("json", "", "describe the result as one JSON object")
_QUIET = Option("quiet", "", "print nothing but errors", "q")
_NO_PROGRESS = Option("no-progress", "", "show no progress bar on the terminal")
_CAP = Option("max-input-mb", "N", f"refuse more than N MiB ({cap.VARIABLE})")
_LENIENT = Option("lenient", "", "also take frame sizes that only the original wrote")
_HELP = Option("help", "", "show this help and stop", "h")


class Command(Struct):
    """One command: what it does, its operands, options and examples."""

    summary: str
    operands: str
    options: tuple[Option, ...]
    examples: tuple[str, ...]


COMMANDS = {
    "encode": Command(
        "Make a .freq container of any file.",
        "",
        (
            _INPUT,
            _OUTPUT,
            Option("level", "N", "zstd level, -128 to 22 (default 5)"),
            Option(
                "channels", "N", "channels, 1 to 8, or auto, which is 4 (default 1)"
            ),
            Option(
                "frame", "SIZE", "raw bytes a frame, such as 512K or 4M (default 1M)"
            ),
            Option(
                "mapping", "NAME", "virtual or u16; noted, not used (default virtual)"
            ),
            Option("verify", "", "flag the container: check SHA-256 when decoding"),
            _THREADS,
            _FORCE,
            _JSON,
            _QUIET,
            _NO_PROGRESS,
            _CAP,
            _HELP,
        ),
        (
            "paxect-core encode -i report.csv -o report.csv.freq",
            "tar c results | paxect-core encode --level 3 -o results.tar.freq",
        ),
    ),
    "decode": Command(
        "Give back the file that a container was made of.",
        "",
        (
            _INPUT,
            _OUTPUT,
            Option("verify", "", "accepted; decoding always verifies everything"),
            _LENIENT,
            _THREADS,
            _FORCE,
            _JSON,
            _QUIET,
            _NO_PROGRESS,
            _CAP,
            _HELP,
        ),
        (
            "paxect-core decode -i report.csv.freq -o report.csv",
            "paxect-core decode -i results.tar.freq | tar x",
        ),
    ),
    "verify": Command(
        "Check containers whole, frame by frame, and write nothing.",
        "[FILE...]",
        (_INPUT, _LENIENT, _THREADS, _JSON, _QUIET, _NO_PROGRESS, _CAP, _HELP),
        (
            "paxect-core verify *.freq",
            "paxect-core verify --json report.csv.freq",
        ),
    ),
    "inspect": Command(
        "Show header, footer and frames of containers without decompressing.",
        "[FILE...]",
        (
            _INPUT,
            Option("frames", "", "list each frame"),
            Option("digest", "", "read it whole for the SHA-256 of the container"),
            _LENIENT,
            _JSON,
            _QUIET,
            _HELP,
        ),
        (
            "paxect-core inspect report.csv.freq",
            "paxect-core inspect --frames --json report.csv.freq",
        ),
    ),
}


EXIT_CODES = {
    "0": "all well",
    "2": "data is damaged (CRC32 or SHA-256)",
    "3": "a file, a pipe or a disk refused",
    "4": "not a container, or its structure is broken",
    "64": "wrong usage; nothing was touched",
    "130, 143": "stopped by a signal",
}
WORST = "the worst counts: 2, then 4, then 3"


class Arguments(Struct):
    """A command with its options' words by name, and its operands."""

    command: str
    values: dict[str, str]
    operands: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Tell whether the option was given."""
        return name in self.values

    def settings(self) -> wire.Settings:
        """Return the container settings that the options ask for."""
        channels = self.values.get("channels", "1")
        settings = wire.Settings(
            level=self._integer("level", limits.LEVEL_DEFAULT),
            channels=(
                limits.CHANNELS_AUTO
                if channels == "auto"
                else self._integer("channels", 1)
            ),
            frame_bytes=self._size("frame", limits.FRAME_BYTES_DEFAULT),
            mapping=_mapping(self.values.get("mapping", "virtual")),
            verify=self.has("verify"),
        )
        settings.check()
        return settings

    def threads(self, cores: int) -> int:
        """Return the number of threads: asked for, or one for each core up to 8."""
        if self.values.get("threads", "auto") == "auto":
            return max(1, min(cores, 8))
        threads = self._integer("threads", 1)
        if not 1 <= threads <= limits.THREADS_MAX:
            raise errors.UsageError(
                f"--threads {threads} is impossible; use 1 to {limits.THREADS_MAX}"
            )
        return threads

    def input_bytes_max(self, default: int | None) -> int | None:
        """Return the cap in force, given the one that the environment sets."""
        text = self.values.get("max-input-mb")
        if text is None:
            return default
        return cap.bytes_from_mib(text, name="--max-input-mb")

    def inputs(self) -> tuple[str, ...]:
        """Return the files named as operands or by --input; else standard input."""
        named = (self.values["input"],) if self.has("input") else ()
        return named + self.operands or ("-",)

    def _integer(self, name: str, default: int) -> int:
        text = self.values.get(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError:
            raise errors.UsageError(
                f"--{name} {text!r} is not a whole number"
            ) from None

    def _size(self, name: str, default: int) -> int:
        text = self.values.get(name)
        if text is None:
            return default
        unit = {"K": 1 << 10, "M": 1 << 20}.get(text[-1:].upper(), 1)
        digits = text[:-1] if unit > 1 else text
        try:
            return int(digits) * unit
        except ValueError:
            raise errors.UsageError(
                f"--{name} {text!r} is not a size; use bytes, or such as 512K or 4M"
            ) from None


def _mapping(name: str) -> Mapping:
    if name not in wire.MAPPING_NAMES:
        raise errors.UsageError(f"--mapping {name!r} is unknown; use virtual or u16")
    return name


def parse(words: list[str]) -> Arguments:
    """Return what the words after the program's name ask for, or raise `UsageError`.

    The commands `help` and `version` stand for the options of these names.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        return Arguments("help", {}, tuple(words[1:2]))
    if words[0] in ("--version", "version"):
        return Arguments("version", {}, ())
    name = words[0]
    if name not in COMMANDS:
        raise errors.UsageError(
            f"{name!r} is no command{_suggest(name, list(COMMANDS))}; "
            "paxect-core --help lists them"
        )
    command = COMMANDS[name]
    try:
        pairs, operands = gnu_getopt(
            words[1:],
            "".join(
                o.short + (":" if o.takes else "") for o in command.options if o.short
            ),
            [o.name + ("=" if o.takes else "") for o in command.options],
        )
    except GetoptError as error:
        names = [option.name for option in command.options]
        meant = "" if error.opt in names else _suggest(error.opt, names, "--")
        raise errors.UsageError(
            f"{error.msg}{meant}; paxect-core {name} --help lists the options"
        ) from None
    by_short = {f"-{o.short}": o.name for o in command.options if o.short}
    values = {by_short.get(word, word[2:]): value for word, value in pairs}
    if "help" in values:
        return Arguments("help", {}, (name,))
    if operands and not command.operands:
        raise errors.UsageError(
            f"{operands[0]!r} is one word too many; "
            f"name files with -i and -o, as in: {command.examples[0]}"
        )
    return Arguments(name, values, tuple(operands))


def _suggest(word: str, known: list[str], prefix: str = "") -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


def help_text(name: str = "") -> str:
    """Return the help of one command, or of the program."""
    command = COMMANDS.get(name)
    if command is None:
        return _program_help()
    lines = [f"usage: paxect-core {name} [OPTION...] {command.operands}".rstrip(), ""]
    lines += [command.summary, ""]
    for option in command.options:
        short = f"-{option.short}, " if option.short else "    "
        word = f"{short}--{option.name} {option.takes}".rstrip()
        lines.append(f"  {word:<24}{option.text}")
    lines += ["", "examples:", *(f"  {example}" for example in command.examples)]
    return "\n".join(lines)


def _program_help() -> str:
    lines = ["usage: paxect-core COMMAND [OPTION...]"]
    lines += ["Make, check and open deterministic .freq containers.", ""]
    lines += [f"  {name:<10}{command.summary}" for name, command in COMMANDS.items()]
    lines += [
        "",
        "  paxect-core COMMAND --help   options and examples of a command",
        "  paxect-core --version        version, and that of the libzstd inside",
        "",
        "examples:",
        *(f"  {command.examples[0]}" for command in list(COMMANDS.values())[:2]),
        "",
        "exit codes:",
        *(f"  {code:<10}{text}" for code, text in EXIT_CODES.items()),
        f"  with several files {WORST}",
    ]
    return "\n".join(lines)
