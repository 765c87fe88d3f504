"""The examples that help shows are commands that do what they say."""

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_samples import Command, copy_of, make_share

from paxect_batch.cli.arguments import parse
from paxect_batch.cli.commands import COMMANDS
from paxect_batch.cli.help import EXAMPLES
from paxect_batch.cli.main import main

EVERY = [(name, words) for name, each in COMMANDS.items() for words in each.examples]
ENDLESS = ("watch", "serve")
"""These go on until they are stopped; what they do is tried elsewhere."""


class Example(NamedTuple):
    """An example taken apart as a shell does it."""

    variables: dict[str, str]
    words: list[str]
    path: str
    """What `jq` is to show of the output, if anything."""


def taken_apart(example: str) -> Example:
    first, *rest = re.split(r" (?:&&|\||>) ", example)
    words = shlex.split(first)
    variables = dict(
        word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word)
    )
    program, *words = words[len(variables) :]
    assert program == "paxect-batch"
    asked = [words for words in map(str.split, rest) if words[0] == "jq"]
    return Example(variables, words, asked[0][1] if asked else "")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_two_examples(name: str) -> None:
    assert len(COMMANDS[name].examples) == 2


@pytest.mark.parametrize(("name", "example"), EVERY)
def test_example_is_of_its_command_and_parses(name: str, example: str) -> None:
    assert parse(taken_apart(example).words).command == name


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_of_the_program_parses(example: str) -> None:
    assert parse(taken_apart(example).words).command in COMMANDS


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share with a file delivered and another one set aside, by the node `node`."""
    share = make_share(tmp_path_factory.mktemp("template"), "attempts = 1\n")
    (share / "inbox" / "a.txt").write_bytes(b"abc")
    (share / "wire" / "odd.freq").write_bytes(b"not a container")
    assert main(["drain", "-q", "--node", "node", str(share)]) == 4
    return share


@pytest.fixture
def share(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    share = copy_of(template, tmp_path)
    log = share / ".paxect" / "log" / "node.jsonl"
    (tmp_path / "node.jsonl").write_bytes(log.read_bytes())
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    return share


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "example"),
    [
        each
        for each in EVERY
        if each[0] not in ENDLESS and "--peer" not in each[1]  # which needs a second
    ],
)
def test_example_when_run_does_what_it_says(
    name: str,
    example: str,
    share: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = taken_apart(example)
    for variable, value in taken.variables.items():
        monkeypatch.setenv(variable, value)
    exchange = share.parent / "new" if name == "init" else share
    places = {"/mnt/exchange": exchange, "/srv": share.parent}
    words = taken.words
    for place, real in places.items():
        words = [word.replace(place, str(real)) for word in words]
    said = command(*words)
    assert said.code in COMMANDS[name].exit_codes
    assert said.code in (0, 1), said.err
    if taken.path and said.out:  # of a quiet run the pace has nothing to tell
        shown = json.JSONDecoder().raw_decode(said.out)[0]
        for key in taken.path.strip(".").split("."):
            shown = shown[key]
