"""Schemas are listed and printed as they stand in the tree."""

import json
from pathlib import Path

import pytest
from cli_samples import Command

from paxect_batch.report.schemas import SUBJECTS

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_schemas_are_listed(command: Command) -> None:
    said = command("schema")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == list(SUBJECTS)


@pytest.mark.parametrize("name", SUBJECTS)
def test_schema_is_the_one_in_the_tree(name: str, command: Command) -> None:
    said = command("schema", name)
    assert said.code == 0
    text = (SCHEMAS / f"{name}.json").read_text(encoding="utf-8")
    assert json.loads(said.out) == json.loads(text)


def test_unknown_schema_is_64_with_the_nearest(command: Command) -> None:
    said = command("schema", "audits")
    assert said.code == 64
    assert "did you mean audit?" in said.err
