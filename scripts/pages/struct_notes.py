"""What stands as a docstring below fields of structs and members of enums."""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

import msgspec

from paxect_batch.report.schemas import SUBJECTS


@cache
def notes_of(kind: type) -> dict[str, str]:
    """Return the note of each field that has one, on one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    found: dict[str, str] = {}
    for before, node in pairwise(body):
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
            continue
        target = (
            getattr(before, "target", None) or getattr(before, "targets", [None])[0]
        )
        if isinstance(target, ast.Name):
            found[target.id] = " ".join(str(node.value.value).split())
    return found


@cache
def known_kinds() -> dict[str, type]:
    """Return the structs and enums that documents are made of, by their names."""
    found: dict[str, type] = {}
    waiting = [msgspec.inspect.type_info(kind) for kind, _ in SUBJECTS.values()]
    while waiting:
        info = waiting.pop()
        kind = getattr(info, "cls", None)
        if kind is not None and kind.__name__ not in found:
            found[kind.__name__] = kind
            waiting += [field.type for field in getattr(info, "fields", ())]
        waiting += getattr(info, "types", ())
        waiting += getattr(info, "item_types", ())
        waiting += [
            getattr(info, part)
            for part in ("item_type", "key_type", "value_type")
            if hasattr(info, part)
        ]
    return found
