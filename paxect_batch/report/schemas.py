"""JSON Schemas of all that is written down, made from the structs themselves.

`schemas/` holds what `schemas()` returns; a test keeps the two equal. Every field is
described, and every schema has examples. To a schema, times and digests are mere
strings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from inspect import cleandoc

import msgspec

from paxect_batch.model.audit import Audit
from paxect_batch.model.events import EventLine
from paxect_batch.model.explanations import Explanation
from paxect_batch.model.fitness import Fitness
from paxect_batch.model.nodes import NodeManifest, ShareMarker, SignedManifest
from paxect_batch.model.policy import LinkPolicy, Policy
from paxect_batch.model.printed import (
    ConfigShown,
    EngineLine,
    PlanLine,
    Replayed,
    RunEnd,
    TakenOut,
    Verified,
)
from paxect_batch.model.records import Record
from paxect_batch.model.run_settings import RunSettings
from paxect_batch.model.status import Deliveries, ShareStatus
from paxect_batch.model.transfer import Attempts, Intent, Reason
from paxect_batch.model.view import View
from paxect_batch.report.schema_examples import EXAMPLES
from paxect_batch.report.schema_texts import field_texts

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SUBJECTS: dict[str, tuple[type[msgspec.Struct], str]] = {
    "attempts": (
        Attempts,
        "what failed with an item, in .paxect/attempts or left",
    ),
    "audit": (Audit, "the audit line of a run, after AUDIT_SUMMARY_JSON="),
    "config": (ConfigShown, "what `config show --json` prints"),
    "core": (EngineLine, "one line of what `paxect-core --json` prints"),
    "doctor": (Fitness, "what `doctor --json` prints"),
    "event": (EventLine, "one line of the event log"),
    "explanation": (Explanation, "one element of what `explain --json` prints"),
    "intent": (Intent, "what is about to be published, in .paxect/intents"),
    "link-policy": (LinkPolicy, "a policy file of PAXECT Link 1.2.0"),
    "manifest": (Deliveries, "what `manifest --json` prints"),
    "node-manifest": (NodeManifest, "the payload of a node's manifest"),
    "pace-replay": (Replayed, "one line of what `pace replay --json` prints"),
    "plan": (PlanLine, "one line of what `drain --dry-run --json` prints"),
    "policy": (Policy, "a policy file of version 2"),
    "quarantine": (
        TakenOut,
        "one line of what `quarantine retry --json` or `release --json` prints",
    ),
    "reason": (Reason, "why an item was set aside: reason.json in quarantine"),
    "record": (Record, "one line of a ledger"),
    "run": (RunEnd, "what `drain --json` prints before the audit line"),
    "run-settings": (RunSettings, "the settings of a run, in .paxect/settings"),
    "share-marker": (ShareMarker, "the marker of a share, .paxect/share.json"),
    "signed-manifest": (SignedManifest, "a node's manifest with its signature"),
    "status": (ShareStatus, "what `status --json` prints"),
    "verify": (Verified, "what `verify --json` prints"),
    "view": (View, "what a listener shows at /view"),
}
"""By name: the struct that is written down, and where it is found."""


def schemas() -> dict[str, dict[str, object]]:
    """Return the schema of each subject by its name."""
    return {name: _schema(name) for name in SUBJECTS}


def index() -> dict[str, object]:
    """Return what `schemas/index.json` holds: the files, and what each is for."""
    return {
        "dialect": DIALECT,
        "schemas": {
            name: {"file": f"{name}.json", "for": subject}
            for name, (_, subject) in SUBJECTS.items()
        },
    }


def _schema(name: str) -> dict[str, object]:
    kind, subject = SUBJECTS[name]
    generated = msgspec.json.schema(kind)
    definitions = generated["$defs"]
    _describe(definitions)
    # msgspec refers to the struct by name; at the top level its own place reads better.
    top = definitions.pop(kind.__name__)
    schema: dict[str, object] = {
        "$schema": DIALECT,
        "$id": f"urn:paxect-batch:{name}",
        **top,
        "title": f"{kind.__name__}: {subject}",
        "examples": [msgspec.to_builtins(each) for each in EXAMPLES[name]],
    }
    if definitions:
        schema["$defs"] = definitions
    return {key: _plain(value) for key, value in schema.items()}


def _describe(definitions: dict[str, dict[str, object]]) -> None:
    """Put into each field what it means."""
    kinds = {kind.__name__: kind for kind in _structs(msgspec.Struct)}
    for name, definition in definitions.items():
        if "description" in definition:
            # A docstring, which Python before 3.13 gives with its indentation.
            definition["description"] = cleandoc(str(definition["description"]))
        if name not in kinds:
            continue  # words to choose from; their schema lists them
        texts = field_texts(kinds[name])
        fields = definition.get("properties")
        if isinstance(fields, dict):
            named = zip(fields, fields.values(), strict=True)
        else:
            parts = definition.get("prefixItems")
            assert isinstance(parts, list | tuple), "a struct is an object or a list"
            named = zip(kinds[name].__struct_fields__, parts, strict=True)
        for field, node in named:
            if field in texts:
                node["description"] = texts[field]


def _structs(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("paxect_batch.model."):
            yield kind
        yield from _structs(kind)


def _plain(node: object) -> object:
    """Return a part of a schema as JSON has it.

    Infinite defaults are left out: a field that would hold one is not written either.
    """
    if isinstance(node, dict):
        return {
            key: _plain(inner)
            for key, inner in node.items()
            if (key, inner) != ("default", math.inf)
        }
    return [_plain(inner) for inner in node] if isinstance(node, list | tuple) else node
