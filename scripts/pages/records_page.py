"""`docs/reference/records.md`, from the schemas."""

import enum
import json
from collections.abc import Iterator
from typing import Any

from page_parts import anchor, code, fenced, joined, page, phrase, table, value
from struct_notes import SUBJECTS, known_kinds, notes_of

from paxect_batch.model.explanations import Said
from paxect_batch.report.explanations import explained
from paxect_batch.report.schemas import schemas

_TOP = """
Every document that the program writes or prints as JSON, with its fields.
`paxect-batch schema NAME` prints each as JSON Schema 2020-12; `schemas/` has them all.
Names of files are text in which a backslash, a control character, or a byte that is no
UTF-8 is escaped (`\\\\`, `\\x0a`, `\\xff`). Times are UTC, or seconds since 1970.
"""
_SEE = {
    "audit": "[relay.md](../relay.md#the-audit-line) tells of each field.",
    "doctor": "[doctor.md](../doctor.md) tells of what is tried.",
    "event": "[events.md](events.md) has the fields and all events.",
    "link-policy": "[policy.md](policy.md#a-policy-of-link-120) has more.",
    "policy": "[policy.md](policy.md) has more.",
    "status": "[relay.md](../relay.md#when-something-is-wrong) shows it as text.",
    "view": "[monitoring.md](../monitoring.md#the-listener) tells of the listener.",
}
_SAID = {"Cause": Said.PACE, "Event": Said.EVENT, "Life": Said.LIFE}
"""Words that are explained, where they have no note of their own."""
EXAMPLE_LINES_MAX = 60
"""A longer example is left to the schema."""


def records_page() -> str:
    """Return the page."""
    documents: dict[str, dict[str, Any]] = schemas()
    tops = {kind.__name__: name for name, (kind, _) in SUBJECTS.items()}
    parts: dict[str, dict[str, Any]] = {
        name: part
        for document in documents.values()
        for name, part in document.get("$defs", {}).items()
        if name not in tops
    }
    heads = {**{part: part for part in parts}, **tops}
    contents = "\n".join(
        f"- [`{name}`](#{anchor(name)}): {subject}"
        for name, (_, subject) in SUBJECTS.items()
    )
    return page(
        "Records and documents",
        _TOP,
        contents,
        *(
            joined(_part(name, kind.__name__, documents[name], heads, level="##"))
            for name, (kind, _) in SUBJECTS.items()
        ),
        "## Parts",
        "What stands inside of them.",
        *(
            joined(_part(name, name, parts[name], heads, level="###"))
            for name in sorted(parts)
        ),
    )


def _part(
    head: str,
    kind_name: str,
    schema: dict[str, Any],
    heads: dict[str, str],
    *,
    level: str,
) -> Iterator[str]:
    kind = known_kinds()[kind_name]
    yield f"{level} `{head}`"
    subject = SUBJECTS.get(head)
    if subject:
        yield f"{subject[1][:1].upper()}{subject[1][1:]}."
    if kind.__doc__:
        yield kind.__doc__.strip().replace("\n    ", "\n")
    if head in _SEE:
        yield _SEE[head]
    if issubclass(kind, enum.Enum):
        yield from _members(kind)
    elif "prefixItems" in schema:
        names = kind.__struct_fields__  # type: ignore[attr-defined]
        rows = [
            (code(name), _type(node, heads), phrase(node.get("description", "")))
            for name, node in zip(names, schema["prefixItems"], strict=True)
        ]
        yield "A list of, in this order:"
        yield table(("part", "is", "means"), rows)
    else:
        required = set(schema.get("required", ()))
        rows2 = [
            (
                code(name),
                _type(node, heads),
                "must be there" if name in required else _default(node),
                phrase(node.get("description", "")),
            )
            for name, node in schema["properties"].items()
        ]
        yield table(("field", "is", "default", "means"), rows2)
    yield from _example(schema)


def _members(kind: type[enum.Enum]) -> Iterator[str]:
    notes = notes_of(kind)
    said = _SAID.get(kind.__name__)
    rows = []
    for each in kind:
        means = notes.get(each.name, "")
        for entry in explained(each.value):
            if not means and said in entry.said:
                means = entry.means
        rows.append((code(each.value), phrase(means)))
    if any(means for _, means in rows):
        yield table(("value", "means"), rows)
    else:
        yield f"One of {', '.join(word for word, _ in rows)}."


def _example(schema: dict[str, Any]) -> Iterator[str]:
    for each in schema.get("examples", ())[:1]:
        text = json.dumps(each, indent=2, ensure_ascii=False)
        if text.count("\n") < EXAMPLE_LINES_MAX:
            yield "For example:"
            yield fenced(text, "json")


def _default(node: dict[str, Any]) -> str:
    return value(node["default"]) if "default" in node else "left out"


def _type(node: dict[str, Any], heads: dict[str, str]) -> str:
    if "$ref" in node:
        head = heads[node["$ref"].rpartition("/")[2]]
        return f"[{head}](#{anchor(head)})"
    if "anyOf" in node:
        return " or ".join(_type(each, heads) for each in node["anyOf"])
    if "enum" in node:
        return " or ".join(map(value, node["enum"]))
    if node.get("type") == "array":
        return f"list of {_type(node['items'], heads)}"
    if node.get("type") == "object":
        inner = node.get("additionalProperties")
        return f"object of {_type(inner, heads)}" if inner else "object"
    return str(node.get("type", "anything"))
