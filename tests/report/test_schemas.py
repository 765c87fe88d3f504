"""The committed schemas are those of the structs, and hold for what is written."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from paxect_batch.report import schema_texts
from paxect_batch.report import schemas as schemas_module
from paxect_batch.report.schema_examples import EXAMPLES
from paxect_batch.report.schemas import SUBJECTS, index, schemas

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "schemas"
CASES = [(name, each) for name, several in EXAMPLES.items() for each in several]
STRICT = ["link-policy", "node-manifest", "policy", "share-marker", "signed-manifest"]


def test_committed_schemas_are_those_of_the_structs() -> None:
    """When this fails, run scripts/schemas, and see that readers can still read."""
    wanted = {f"{name}.json": schema for name, schema in schemas().items()}
    wanted["index.json"] = index()
    assert {path.name for path in FOLDER.iterdir()} == set(wanted)
    for name, document in wanted.items():
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert json.loads(text, parse_constant=pytest.fail) == document, name


@pytest.mark.parametrize("name", SUBJECTS)
def test_schema_is_one_and_says_what_it_is_for(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["description"]
    assert SUBJECTS[name][1] in str(schema["title"])
    examples = schema["examples"]
    assert examples
    for example in examples:  # type: ignore[attr-defined]
        Draft202012Validator(schema).validate(example)


def parts(name: str) -> list[tuple[str, dict[str, Any]]]:
    schema: dict[str, Any] = schemas()[name]
    return [(name, schema), *schema.get("$defs", {}).items()]


@pytest.mark.parametrize("name", SUBJECTS)
def test_schema_describes_every_field(name: str) -> None:
    for part, schema in parts(name):
        fields = schema.get("properties") or dict(
            enumerate(schema.get("prefixItems", ()))
        )
        for field, node in fields.items():
            assert node.get("description"), f"{part}.{field}"


def test_no_two_structs_of_the_model_have_one_name() -> None:
    # Schemas know them by their names, whatever was imported first.
    names = [kind.__name__ for kind in set(schemas_module._structs(msgspec.Struct))]
    assert sorted(names) == sorted(set(names))


def test_every_text_is_of_a_field_that_has_no_docstring() -> None:
    told = {
        node["description"]
        for name in SUBJECTS
        for _, schema in parts(name)
        for node in (
            *schema.get("properties", {}).values(),
            *schema.get("prefixItems", ()),
        )
    }
    unused = {name for name, text in schema_texts.TEXTS.items() if text not in told}
    assert unused == set()


@pytest.mark.parametrize(("name", "example"), CASES)
def test_schema_holds_for_what_is_written_and_that_can_be_read_again(
    name: str, example: msgspec.Struct
) -> None:
    data = msgspec.json.encode(example)
    Draft202012Validator(schemas()[name]).validate(json.loads(data))
    assert msgspec.json.decode(data, type=SUBJECTS[name][0]) == example


@pytest.mark.parametrize("name", STRICT)
def test_schema_of_what_people_write_refuses_unknown_keys(name: str) -> None:
    document = json.loads(msgspec.json.encode(EXAMPLES[name][0]))
    validator = Draft202012Validator(schemas()[name])
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "unknown": 1})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("policy", {"level": 23}),
        ("policy", {"version": "1.2.0"}),
        ("policy", {"naming": "other"}),
        ("record", {"fate": "lost"}),
        ("record", {"source": ["inbox"]}),
        ("event", {"event": "unheard_of"}),
        ("attempts", {"next_at": None}),
    ],
)
def test_schema_refuses_what_is_wrong(name: str, changes: dict[str, object]) -> None:
    document = json.loads(msgspec.json.encode(EXAMPLES[name][0]))
    assert not Draft202012Validator(schemas()[name]).is_valid({**document, **changes})


def test_program_that_writes_them_imports_what_there_is() -> None:
    text = (ROOT / "scripts" / "schemas").read_text(encoding="utf-8")
    names = re.findall(r"^from (paxect_batch\S*) import", text, re.MULTILINE)
    assert names
    for name in names:
        importlib.import_module(name)


def test_descriptions_carry_no_indentation_of_the_source() -> None:
    """Docstrings have it before Python 3.13, where it made schemas of their own."""

    def descriptions(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for key, inner in node.items():
                if key == "description" and isinstance(inner, str):
                    yield inner
                yield from descriptions(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from descriptions(inner)

    found = list(descriptions(schemas()))
    assert any("\n" in text for text in found)
    assert not [text for text in found if "\n " in text]
