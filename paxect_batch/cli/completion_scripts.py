"""Completion scripts for bash, zsh and fish, from what can be completed; pure.

Each is one file that may be sourced, or lie where its shell looks for completions. The
tables stand in it as they are, so that nothing is started when a key is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from paxect_batch.cli.completion_words import Completed, Kind, Line, Word

_MADE = "made by `paxect-batch completion {}`"
_GLOBAL = ("--help", "--version")


def bash(programs: Iterable[Completed]) -> str:
    """Return the script for bash, 3.2 included, which macOS has."""
    return "\n".join(_bash(programs)) + "\n"


def zsh(programs: Iterable[Completed]) -> str:
    """Return the script for zsh: the file `_paxect-batch` of a folder in `fpath`."""
    return "\n".join(_zsh(tuple(programs))) + "\n"


def fish(programs: Iterable[Completed]) -> str:
    """Return the script for fish."""
    return "\n".join(_fish(programs)) + "\n"


SCRIPTS: dict[str, Callable[[Iterable[Completed]], str]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}


# --- bash ---------------------------------------------------------------------------

_BASH_OFFERS = {
    Kind.OTHER: "compopt +o default 2>/dev/null",
    Kind.FILE: ":",
    Kind.FOLDER: "compopt -o dirnames +o default 2>/dev/null",
}
"""How a value is completed that is no choice: readline does it, which quotes names."""

_BASH_HEAD = """\
    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
    # --option=value arrives as three words.
    if [[ $current == = ]]; then
        current=
    elif [[ $before == = ]]; then
        before="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    local command= operands=0 word words= index
    for ((index = 1; index < COMP_CWORD; index++)); do
        word="${COMP_WORDS[index]}"
        if [[ $word == -* || $word == = || ${COMP_WORDS[index-1]} == = ]]; then
            continue
        elif [[ -z $command ]]; then
            command="$word"
        else
            operands=$((operands + 1))
        fi
    done
    COMPREPLY=()"""

_BASH_TAIL = """\
    if [[ $current == -* ]]; then
        words="$options"
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))"""


def _bash(programs: Iterable[Completed]) -> Iterator[str]:
    yield f"# Completion for bash, {_MADE.format('bash')}."
    for program in programs:
        function = _function(program)
        yield ""
        yield f"{function}() {{"
        yield _BASH_HEAD
        yield "    local options="
        yield '    case "$command" in'
        yield "    '')"
        yield f"        words='{' '.join((*program.commands, 'help', *_GLOBAL))}'"
        yield '        options="$words"'
        yield "        ;;"
        yield "    help)"
        yield f"        words='{' '.join((*program.commands, 'all'))}'"
        yield "        ;;"
        for name, line in program.commands.items():
            yield f"    {name})"
            yield from _bash_line(line)
            yield "        ;;"
        yield "    esac"
        yield _BASH_TAIL
        yield "}"
        yield f"complete -o default -F {function} {program.program}"


def _bash_line(line: Line) -> Iterator[str]:
    yield f"        options='{' '.join(_dashed(line.options))}'"
    yield '        case "$before" in'
    for option in line.options:
        if option.takes is Kind.NOTHING:
            continue
        yield f"        {'|'.join(_dashed([option]))})"
        if option.takes is Kind.CHOICE:
            values = " ".join(option.values)
            yield f"            COMPREPLY=($(compgen -W '{values}' -- \"$current\"))"
        else:
            yield f"            {_BASH_OFFERS[option.takes]}"
        yield "            return"
        yield "            ;;"
    yield "        esac"
    if line.first:
        yield "        if ((operands == 0)); then"
        yield f"            words='{' '.join(line.first)}'"
        yield "        fi"
    if line.operand in (Kind.FILE, Kind.FOLDER):
        yield "        if [[ -z $words && $current != -* ]]; then"
        yield f"            {_BASH_OFFERS[line.operand]}"
        yield "            return"
        yield "        fi"


def _dashed(options: Iterable[Word]) -> Iterator[str]:
    for option in options:
        if option.short:
            yield f"-{option.short}"
        yield f"--{option.name}"


def _function(program: Completed) -> str:
    return f"_{program.program.replace('-', '_')}"


# --- zsh ----------------------------------------------------------------------------

_ZSH_OFFERS = {Kind.OTHER: " ", Kind.FILE: "_files", Kind.FOLDER: "_files -/"}


def _zsh(programs: tuple[Completed, ...]) -> Iterator[str]:
    names = " ".join(program.program for program in programs)
    yield f"#compdef {names}"
    yield f"# Completion for zsh, {_MADE.format('zsh')}."
    for program in programs:
        yield ""
        yield f"{_function(program)}() {{"
        yield "    local curcontext=$curcontext state line ret=1"
        yield "    local -a commands"
        yield "    commands=("
        for name, line in program.commands.items():
            yield f"        {_zsh_quoted(f'{name}:{line.summary}')}"
        yield "        'help:Show the help of a command, or all of it.'"
        yield "    )"
        yield "    _arguments -C \\"
        yield "        '(- *)--help[show the help]' '(- *)--version[show versions]' \\"
        yield "        '1: :->command' '*:: :->rest' && ret=0"
        yield "    case $state in"
        yield "    command) _describe -t commands command commands && ret=0 ;;"
        yield "    rest)"
        yield "        case $words[1] in"
        words = " ".join((*program.commands, "all"))
        yield f"        help) _arguments '*:command:({words})' && ret=0 ;;"
        for name, line in program.commands.items():
            yield f"        {name})"
            yield "            _arguments -s \\"
            for argument in _zsh_line(line):
                yield f"                {argument} \\"
            yield "                && ret=0 ;;"
        yield "        esac ;;"
        yield "    esac"
        yield "    return ret"
        yield "}"
    yield ""
    # Either this is called as a function of its file's name, or it is sourced.
    yield "case $funcstack[1] in"
    yield f"_{programs[0].program})"
    yield "    case $service in"
    for program in programs:
        yield f'    {program.program}) {_function(program)} "$@" ;;'
    yield "    esac ;;"
    yield "*)"
    for program in programs:
        yield f"    compdef {_function(program)} {program.program}"
    yield "    ;;"
    yield "esac"


def _zsh_line(line: Line) -> Iterator[str]:
    for option in line.options:
        text = option.text.replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
        taken = _zsh_taken(option)
        if option.short:
            names = f"-{option.short} --{option.name}"
            value = f"[{text}]{taken}"
            yield _zsh_quoted(f"({names})-{option.short}{value}")
            equals = "=" if taken else ""
            yield _zsh_quoted(f"({names})--{option.name}{equals}{value}")
        else:
            equals = "=" if taken else ""
            yield _zsh_quoted(f"--{option.name}{equals}[{text}]{taken}")
    place = 1
    if line.first:
        yield _zsh_quoted(f"1: :({' '.join(line.first)})")
        place = 2
    if line.operand in (Kind.FILE, Kind.FOLDER):
        offered = _ZSH_OFFERS[line.operand]
        star = "*" if line.operand is Kind.FILE else str(place)
        yield _zsh_quoted(f"{star}: :{offered}")


def _zsh_taken(option: Word) -> str:
    if option.takes is Kind.NOTHING:
        return ""
    if option.takes is Kind.CHOICE:
        return f":value:({' '.join(option.values)})"
    return f":value:{_ZSH_OFFERS[option.takes]}"


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# --- fish ---------------------------------------------------------------------------

_FOLDERS = "'(__fish_complete_directories (commandline -ct))'"


def _fish(programs: Iterable[Completed]) -> Iterator[str]:
    yield f"# Completion for fish, {_MADE.format('fish')}."
    for program in programs:
        start = f"complete -c {program.program}"
        yield ""
        yield f"{start} -f"
        new = "-n __fish_use_subcommand"
        yield f"{start} {new} -l help -s h -d 'show the help'"
        yield f"{start} {new} -l version -d 'show versions'"
        for name, line in program.commands.items():
            yield f"{start} {new} -a {name} -d {_fish_quoted(line.summary)}"
        yield f"{start} {new} -a help -d 'Show the help of a command, or all of it.'"
        words = " ".join((*program.commands, "all"))
        seen = "-n '__fish_seen_subcommand_from help'"
        yield f"{start} {seen} -a '{words}'"
        for name, line in program.commands.items():
            of_it = f"{start} -n '__fish_seen_subcommand_from {name}'"
            for option in line.options:
                yield f"{of_it} {_fish_option(option)}"
            yield from (f"{of_it} {operand}" for operand in _fish_operands(line))


def _fish_option(option: Word) -> str:
    short = f"-s {option.short} " if option.short else ""
    taken = {
        Kind.NOTHING: "",
        Kind.OTHER: "-x ",
        Kind.CHOICE: f"-x -a '{' '.join(option.values)}' ",
        Kind.FILE: "-r -F ",
        Kind.FOLDER: f"-x -a {_FOLDERS} ",
    }[option.takes]
    return f"-l {option.name} {short}{taken}-d {_fish_quoted(option.text)}"


def _fish_operands(line: Line) -> Iterator[str]:
    if line.first:
        yield f"-a '{' '.join(line.first)}'"
    if line.operand is Kind.FILE:
        yield "-F"
    elif line.operand is Kind.FOLDER:
        yield f"-a {_FOLDERS}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
