"""Shells complete what the commands take: each is asked for real where it is there."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest
from cli_samples import Command

from paxect_batch.cli.commands import COMMANDS
from paxect_batch.cli.completion import programs
from paxect_batch.cli.completion_scripts import SCRIPTS
from paxect_batch.cli.completion_words import Kind
from paxect_core import options as core

pty = pytest.importorskip("pty")
QUIET = {"PATH": os.environ.get("PATH", ""), "TERM": "dumb", "LC_ALL": "C"}

OFFERS = [
    ("paxect-batch dra", ["drain"]),
    ("paxect-batch drain --dir", ["--direction"]),
    ("paxect-batch drain --direction ", ["encode", "decode", "relay"]),
    ("paxect-batch drain share --log-format e", ["ecs"]),
    ("paxect-batch drain --no-pa", ["--no-pace"]),
    ("paxect-batch quarantine re", ["retry", "release"]),
    ("paxect-batch schema au", ["audit"]),
    ("paxect-batch explain checksum_m", ["checksum_mismatch"]),
    ("paxect-batch dashboard ", ["grafana", "alerts"]),
    ("paxect-batch help quar", ["quarantine"]),
    ("paxect-core enc", ["encode"]),
    ("paxect-core encode --mapping ", ["virtual", "u16"]),
    ("paxect-core encode --channels a", ["auto"]),
]


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"no {shell} here")


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    for shell, script in SCRIPTS.items():
        (folder / shell).write_text(script(programs()), encoding="utf-8")
    return folder


@pytest.mark.parametrize("shell", SCRIPTS)
def test_command_prints_the_script(
    shell: str, capfd: pytest.CaptureFixture[str]
) -> None:
    said = Command(capfd)("completion", shell)
    assert said == (0, SCRIPTS[shell](programs()), "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_script_holds_every_command_and_option(shell: str) -> None:
    text = SCRIPTS[shell](programs())
    dashes = "-l " if shell == "fish" else "--"
    for command in (*COMMANDS.values(), *core.COMMANDS.values()):
        assert all(f"{dashes}{option.name}" in text for option in command.options)
    assert all(name in text for name in (*COMMANDS, *core.COMMANDS))


def test_every_option_that_takes_a_name_of_few_offers_them() -> None:
    relay, _ = programs()
    offered = {
        word.name: word.values
        for line in relay.commands.values()
        for word in line.options
        if word.takes is Kind.CHOICE
    }
    assert offered == {
        "direction": ("encode", "decode", "relay"),
        "log-format": ("jsonl", "ecs", "splunk-hec"),
    }


# --- bash ---------------------------------------------------------------------------


@needs("bash")
@pytest.mark.parametrize(("typed", "offers"), OFFERS)
def test_bash_offers(typed: str, offers: list[str], scripts: Path) -> None:
    assert bash_offers(scripts, typed.split(" ")) == offers


@needs("bash")
def test_bash_offers_values_behind_an_equals_sign(scripts: Path) -> None:
    words = ["paxect-batch", "drain", "--direction", "="]
    assert bash_offers(scripts, words) == ["encode", "decode", "relay"]
    assert bash_offers(scripts, [*words, "re"]) == ["relay"]
    # What stands behind it is no operand.
    words = ["paxect-batch", "quarantine", "--config", "=", "file", "sh"]
    assert bash_offers(scripts, words) == ["show"]


def bash_offers(scripts: Path, words: list[str]) -> list[str]:
    program = words[0].replace("-", "_")
    script = (
        f'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _{program}; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", scripts / "bash", *words],
        capture_output=True,
        text=True,
        check=True,
        env=QUIET,
    )
    return done.stdout.split()


# --- at a terminal ------------------------------------------------------------------

AT_A_TERMINAL = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
START = {
    "bash": "source {}",
    "zsh": "autoload -U compinit && compinit -u -D && source {}",
}
SAID = "TAKEN"


@pytest.mark.slow
@pytest.mark.parametrize(
    "shell", [pytest.param(shell, marks=needs(shell)) for shell in AT_A_TERMINAL]
)
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("paxect-batch dra\t", "drain"),
        ("paxect-batch status my\t", "status|my folder/"),
        ("paxect-batch drain --dry\t", "drain|--dry-run"),
        ("paxect-batch drain --max-rate note\t", "drain|--max-rate|note"),
        ("paxect-batch dash\tgra\t", "dashboard|grafana"),
        ("paxect-core verify note\t", "verify|notes.freq"),
    ],
)
def test_tab_completes_what_is_meant(
    shell: str, typed: str, meant: str, scripts: Path, tmp_path: Path
) -> None:
    (tmp_path / "my folder").mkdir()
    (tmp_path / "notes.freq").touch()
    lines = [
        START[shell].format(f"'{scripts / shell}'"),
        # The commands tell what they were called with.
        'paxect-batch() { local IFS="|"; echo "' + SAID + ':$*:"; }',
        'paxect-core() { local IFS="|"; echo "' + SAID + ':$*:"; }',
        typed,
    ]
    shown = list(conversation(AT_A_TERMINAL[shell], lines, tmp_path))
    # Some shells leave a slash behind a folder away when the line is taken.
    assert shown[-1].rstrip("/") == meant.rstrip("/")


@needs("zsh")
@pytest.mark.slow
def test_zsh_finds_the_script_in_a_folder_for_completions(
    scripts: Path, tmp_path: Path
) -> None:
    (scripts / "zsh").rename(scripts / "_paxect-batch")
    lines = [
        f"fpath=('{scripts}' $fpath); autoload -U compinit && compinit -u -D",
        'paxect-core() { local IFS="|"; echo "' + SAID + ':$*:"; }',
        "paxect-core enc\t--mapp\tu1\t",
    ]
    shown = list(conversation(AT_A_TERMINAL["zsh"], lines, tmp_path))
    assert shown[-1] == "encode|--mapping=u16"


PROMPT = b"> "
SILENT_SECONDS = 10.0
"""After that a shell is taken to ask in a way of its own."""


def conversation(command: list[str], lines: list[str], folder: Path) -> Iterator[str]:
    """Type lines at a shell; give what the commands of the last were called with."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=QUIET
        | {"HOME": str(folder), "INPUTRC": "/dev/null", "PS1": PROMPT.decode()},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    left = [f"{line}\n".encode() for line in [*lines, "exit"]]
    shown, asked = b"", 0
    while True:
        # Not before it is asked for: a shell that begins may drop what is there.
        is_asked = shown.find(PROMPT, asked) >= 0
        if left and (is_asked or not select([ours], [], [], SILENT_SECONDS)[0]):
            asked = len(shown)
            os.write(ours, left.pop(0))
            continue
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    process.wait()
    for line in shown.decode(errors="replace").splitlines():
        if line.startswith(f"{SAID}:"):
            yield line.split(":")[1]


@needs("zsh")
def test_zsh_takes_the_script_without_a_word(scripts: Path) -> None:
    done = subprocess.run(
        ["zsh", "-f", "-n", scripts / "zsh"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# --- fish ---------------------------------------------------------------------------


@needs("fish")
@pytest.mark.slow
@pytest.mark.parametrize(("typed", "offers"), OFFERS)
def test_fish_offers(typed: str, offers: list[str], scripts: Path) -> None:
    assert sorted(fish_offers(scripts, typed, scripts)) == sorted(offers)


@needs("fish")
@pytest.mark.slow
def test_fish_offers_folders_and_files_where_they_are_taken(
    scripts: Path, tmp_path: Path
) -> None:
    (tmp_path / "my folder").mkdir()
    (tmp_path / "my-notes.freq").touch()
    assert fish_offers(scripts, "paxect-batch status my", tmp_path) == ["my folder/"]
    assert fish_offers(scripts, "paxect-core verify my-", tmp_path) == ["my-notes.freq"]
    assert fish_offers(scripts, "paxect-batch drain --workers my", tmp_path) == []


FISH = "source $argv[1]; complete -C $argv[2]"


def fish_offers(scripts: Path, typed: str, folder: Path) -> list[str]:
    done = subprocess.run(
        ["fish", "--no-config", "-c", FISH, str(scripts / "fish"), typed],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env=QUIET | {"HOME": str(folder)},
    )
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]
