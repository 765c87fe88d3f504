"""Words become a command, or an error that says what would be right."""

import pytest

from paxect_batch.cli.arguments import Arguments, parse
from paxect_batch.cli.commands import COMMANDS
from paxect_batch.model.errors import ConfigError


def test_no_words_ask_for_help() -> None:
    assert parse([]) == Arguments("help", {}, ())


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
def test_help_of_a_command_may_be_named(word: str) -> None:
    assert parse([word, "drain"]) == Arguments("help", {}, ("drain",))


@pytest.mark.parametrize("words", [["all"], ["drain", "all"]])
def test_help_may_be_asked_for_in_full(words: list[str]) -> None:
    assert parse(["help", *words]) == Arguments("help", {}, tuple(words))


@pytest.mark.parametrize("word", ["--version", "version"])
def test_version_is_told_from_commands(word: str) -> None:
    assert parse([word]).command == "version"


def test_help_option_of_a_command_asks_for_its_help() -> None:
    assert parse(["drain", "--help"]) == Arguments("help", {}, ("drain",))


def test_drain_as_an_option_is_the_command() -> None:
    expected = Arguments("drain", {"quiet": ""}, ("SHARE",))
    assert parse(["--drain", "SHARE", "-q"]) == expected
    assert parse(["-q", "--drain", "SHARE"]) == expected
    assert parse(["SHARE", "-q", "--drain"]) == expected


def test_options_may_follow_operands() -> None:
    arguments = parse(["drain", "SHARE", "--workers", "3", "-n"])
    assert arguments.values == {"workers": "3", "dry-run": ""}
    assert arguments.has("dry-run")
    assert not arguments.has("json")


def test_last_of_an_option_and_its_opposite_counts() -> None:
    assert parse(["drain", "--progress", "--no-progress"]).values == {"no-progress": ""}
    assert parse(["drain", "--no-progress", "--progress"]).values == {"progress": ""}


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["drian"], "did you mean drain?"),
        (["drain", "--dedline", "2h"], "did you mean --deadline?"),
        (["quarantine", "lst"], "did you mean list?"),
        (["xyz"], "--help lists the commands"),
        (["drain", "--workers"], "--workers requires argument; nothing was touched"),
        (["drain", "a", "b"], "'b' is one word too many"),
        (["init"], "init needs to be told more"),
        (["config"], "config needs to be told more"),
        (["help", "drian"], "did you mean drain?"),
        (["help", "drain", "some"], "use: paxect-batch help [COMMAND] [all]"),
        (["help", "all", "drain", "all"], "'all' is nothing that help tells"),
    ],
)
def test_words_that_cannot_be_meant_are_refused_with_what_would_be_right(
    words: list[str], meant: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(words)
    assert meant in caught.value.message
    assert "nothing was touched" in caught.value.message


def test_no_command_has_two_options_of_one_name() -> None:
    for command in COMMANDS.values():
        names = list(command.option_names())
        shorts = [option.short for option in command.options if option.short]
        assert len(names) == len(set(names))
        assert len(shorts) == len(set(shorts))


@pytest.mark.parametrize("name", COMMANDS)
def test_short_options_are_read_as_their_long_ones(name: str) -> None:
    command = COMMANDS[name]
    operands = [command.actions[0]] if command.actions else []
    operands += ["SHARE"] if command.operands.startswith("SHARE") else []
    for option in command.options:
        if option.short:
            short = parse([name, f"-{option.short}", *operands])
            assert short == parse([name, f"--{option.name}", *operands])
