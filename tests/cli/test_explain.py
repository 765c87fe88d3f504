"""Whatever the program says can be explained, and nothing that it does not say."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_samples import Command

from paxect_batch.cli.commands import COMMANDS
from paxect_batch.model.audit import Audit
from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.explanations import Explanation, Said
from paxect_batch.model.fitness import Level, Verdict
from paxect_batch.model.pace import Cause
from paxect_batch.model.status import Life
from paxect_batch.report.explanations import EXPLANATIONS, explained, nearest
from paxect_batch.rules.fitness_calls import EXPECTATIONS as CALLS
from paxect_batch.rules.fitness_peer import EXPECTATIONS as PEER
from paxect_batch.rules.trust import PeerFault
from paxect_core import errors

ROOT = Path(__file__).parents[2]
BATCH = ROOT / "paxect_batch"
CORE = ROOT / "core" / "paxect_core"

_REASON = re.compile(r"[a-z]+(?:_[a-z]+)+")
OF_THE_CODE = {
    "bell",
    "hands",
    "settings",
    "lane",
    "destination",
    "board",
    "view",
    "looker",
}
"""Words that no message needs."""
_SILENT = {"Result.CHANGED", "Result.GONE"}
"""A worker's outcomes whose code nobody is shown."""


def words(said: Said) -> set[str]:
    return {each.word for each in EXPLANATIONS if said in each.said}


def trees(*folders: str) -> Iterator[ast.Module]:
    for folder in folders:
        path = BATCH / folder
        for source in [path] if path.is_file() else sorted(path.glob("*.py")):
            yield ast.parse(source.read_text(encoding="utf-8"))


def literals(tree: ast.AST) -> Iterator[str]:
    """Give texts as they stand, and of f-strings what comes before the first value."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, node.values))
            if isinstance(first := node.values[0], ast.Constant):
                yield str(first.value)
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in inside:
            yield node.value


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def raised_codes(kind: type[errors.PaxectError]) -> set[str]:
    """Return the codes of the errors of a kind that the engine raises somewhere."""
    text = "".join(path.read_text(encoding="utf-8") for path in CORE.glob("*.py"))
    return {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, kind)
        and re.search(rf"\b{each.__name__}\(\n? *[f\"e]", text)
    }


def test_every_event_is_explained() -> None:
    assert words(Said.EVENT) == set(Event)


def test_every_event_is_written_somewhere() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("relay", "world")
        for path in (BATCH / folder).glob("*.py")
    )
    assert {each for each in Event if f"Event.{each.name}" not in text} == set()


def test_every_reason_why_a_file_is_left_is_explained() -> None:
    sources = ("rules/admission.py", "rules/trust.py")
    sources += ("relay/admit.py", "relay/trust.py")
    found = {fault.value for fault in PeerFault if fault}
    for tree in trees(*sources):
        for text in literals(tree):
            head, colon, _ = text.partition(":")
            if _REASON.fullmatch(text) or (colon and re.fullmatch(r"[a-z_]+", head)):
                found.add(head)
    # Of a file that may not be looked at, the reason is that of its failure.
    assert found - {"unreadable"} == words(Said.LEFT)


def test_every_reason_why_a_file_failed_is_explained() -> None:
    found = raised_codes(errors.ContainerError) | {"unreadable", "collision"}
    found |= {"unremovable", "unreachable", "unnameable", "left-behind", "no-room"}
    for tree in trees("work", "relay"):
        for call in calls(tree):
            code = keyword(call, "code")
            result = ast.unparse(call.args[0]) if call.args else ""
            if isinstance(code, ast.Constant) and result not in _SILENT:
                found.add(str(code.value))
    assert found == words(Said.FAILED)


def test_every_finding_of_verify_is_explained() -> None:
    found = raised_codes(errors.ContainerError)
    for tree in trees("cli/verification.py"):
        for call in calls(tree):
            if ast.unparse(call.func) in {"self._find", "self._suspect"}:
                found.update(literals(call.args[0]))
    assert found == words(Said.FINDING)


def test_every_finding_of_doctor_is_explained() -> None:
    found = {*CALLS, *(f"peer_{name}" for name in PEER)}
    for path in (BATCH / "rules").glob("fitness*.py"):
        for call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            is_one = ast.unparse(call.func) in {"Finding", "clock_finding"}
            if is_one and isinstance(call.args[0], ast.Constant):
                found.add(str(call.args[0].value))
    assert found == words(Said.DOCTOR)


def test_every_end_of_a_run_is_explained() -> None:
    found = set()
    for tree in trees("relay"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and "stopped" in ast.unparse(
                node.targets[0]
            ):
                found.update(text.partition(":")[0] for text in literals(node.value))
    assert found == words(Said.ENDED)


def test_code_1_is_explained_for_each_command_that_ends_with_it() -> None:
    (told,) = [each.cause for each in EXPLANATIONS if each.word == "1"]
    # Of runs it is told first, and without their names.
    ends = {
        name for name, each in COMMANDS.items() if Exit.UNFINISHED in each.exit_codes
    }
    assert set(re.findall(r"of `(\w+)`", told)) == ends - {"drain", "watch"}


def test_every_exit_code_cause_life_and_error_is_explained() -> None:
    assert words(Said.EXIT) == {str(code.value) for code in Exit}
    assert words(Said.PACE) == set(Cause) - {Cause.NONE}
    assert words(Said.LIFE) == set(Life)
    assert words(Said.ENGINE) == raised_codes(errors.PaxectError) | {"cancelled"}


def test_every_number_of_files_and_every_verdict_is_explained() -> None:
    numbers = {
        name
        for name, kind in Audit.__annotations__.items()
        if kind in ("Tally", "int") and name not in ("exit_code", "encoded", "decoded")
    }
    assert words(Said.COUNT) == numbers
    assert words(Said.VERDICT) == {*Verdict, Level.CARE, Level.UNFIT}


def test_every_word_of_the_glossary_that_operators_meet_is_explained() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = page.split("\n## Words\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([a-z][^|]*?) \|", table, re.MULTILINE)[1:]
    found = {word for cell in cells for word in cell.split(", ")}
    assert found - OF_THE_CODE == words(Said.WORD)


@pytest.mark.parametrize("each", EXPLANATIONS, ids=lambda each: f"{each.word}")
def test_explanation_is_whole_and_in_plain_sentences(each: Explanation) -> None:
    texts = [each.means, each.cause, each.data, each.todo]
    if Said.WORD in each.said:
        assert texts[1:] == ["", "", ""]
        del texts[1:]
    for text in texts:
        assert text
        assert text.isascii()
        assert not text.endswith(".")
        assert text.count("`") % 2 == 0
    assert each.said


def test_explanations_of_one_word_are_said_in_different_places() -> None:
    places = [(each.word, said) for each in EXPLANATIONS for said in each.said]
    assert len(places) == len(set(places))


def test_explain_prints_meaning_cause_data_and_what_to_do(command: Command) -> None:
    said = command("explain", "checksum_mismatch")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("checksum_mismatch  (event, ")
    starts = [line.split()[0] for line in lines[1:] if line[2] != " "]
    assert starts == ["a", "cause", "data", "do"]
    assert max(map(len, lines)) <= 80


def test_explain_takes_a_reason_with_what_follows_its_colon(command: Command) -> None:
    out = command("explain", "backing_off:io-error").out
    assert "\nio-error  (" in out
    assert out.startswith("backing_off  (")
    assert command("explain", "disallowed_suffix:.exe").code == 0


@pytest.mark.parametrize("word", ["Bad-Magic", "bad_magic", " bad magic "])
def test_explain_takes_a_word_however_it_is_spelt(command: Command, word: str) -> None:
    assert command("explain", word).out.startswith("bad-magic  (")


def test_explain_of_a_word_with_two_meanings_prints_both(command: Command) -> None:
    assert command("explain", "unreadable").out.count("unreadable  (") == 2


def test_explain_of_a_word_of_the_glossary_is_its_meaning(command: Command) -> None:
    assert command("explain", "lease").out.startswith("lease  (word of the glossary)\n")
    assert "cause" not in command("explain", "batch", "digest").out


def test_explain_of_an_unknown_word_is_64_with_the_nearest(command: Command) -> None:
    said = command("explain", "checksum-mismach")
    assert (said.code, said.out) == (64, "")
    assert "did you mean checksum_mismatch?" in said.err
    assert "did you mean" not in command("explain", "zzzzzz").err


def test_explain_without_a_word_lists_all_on_narrow_lines(command: Command) -> None:
    lines = command("explain").out.splitlines()
    assert max(map(len, lines)) <= 80
    listed = [line[2:24].strip() for line in lines if re.match(r"  \S", line)]
    assert listed == [each.word for each in EXPLANATIONS]


def test_explain_as_json_has_every_field(command: Command) -> None:
    (found,) = json.loads(command("explain", "bias", "--json").out)
    assert set(found) == set(Explanation.__struct_fields__)
    assert len(json.loads(command("explain", "--json").out)) == len(EXPLANATIONS)


def test_every_word_is_found_by_itself_and_is_nearest_to_itself() -> None:
    for each in EXPLANATIONS:
        assert each in explained(each.word)
        assert explained(nearest(each.word))
    assert nearest("") == ""
