"""The operator's handbook leaves nothing out."""

import json
import re
from pathlib import Path

import msgspec

from paxect_batch.cli.link_settings import LinkSettings
from paxect_batch.cli.settings import SETTINGS
from paxect_batch.model.audit import Audit
from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = (ROOT / "docs" / "relay.md").read_text(encoding="utf-8")
LINK = (ROOT / "docs" / "link.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables in a section, without their heads."""
    section = HANDBOOK.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [set("".join(row)) == {"-"} for row in cells]
    # A head is the row above a rule.
    heads = [*rules[1:], False]
    return [
        row
        for row, is_rule, is_head in zip(cells, rules, heads, strict=True)
        if not is_rule and not is_head
    ]


def named(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_handbook_has_every_policy_key_with_its_default() -> None:
    shown = {row[0].strip("`"): row[1].strip("`") for row in rows("Policy")}
    fields = {field.name: field for field in msgspec.structs.fields(Policy)}
    assert set(shown) == set(fields)
    for name, field in fields.items():
        if name != "version":
            default = json.dumps(msgspec.to_builtins(field.default))
            assert shown[name] == default, name


def test_handbook_has_every_setting() -> None:
    assert named([row[0] for row in rows("Settings")]) == set(SETTINGS)


def test_handbook_has_every_exit_code() -> None:
    codes = re.findall(r"\d+", " ".join(row[0] for row in rows("Exit codes")))
    assert {int(code) for code in codes} == set(Exit)


def test_handbook_has_every_event_and_every_field_of_the_audit() -> None:
    section = HANDBOOK.split("## When something is wrong")[1]
    assert set(Event) <= set(re.findall(r"`([a-z_]+)`", section))
    fields = named([row[0] for row in rows("The audit line")])
    assert fields == set(Audit.__struct_fields__)


def test_link_page_has_every_variable() -> None:
    for name in LinkSettings.__struct_fields__:
        assert f"`PAXECT_LINK_{name.upper()}`" in LINK, name
