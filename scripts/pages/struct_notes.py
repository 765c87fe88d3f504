"""What stands as a docstring below fields of structs and members of enums."""

import ast
import enum
import inspect
import textwrap
from functools import cache
from itertools import pairwise

import msgspec

import paxect_batch.model.schemas  # so that all structs that are written down are known

SUBJECTS = paxect_batch.model.schemas.SUBJECTS


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
    """Return the structs and enums of the model by their names."""
    found: dict[str, type] = {}
    waiting: list[type] = [msgspec.Struct, enum.StrEnum]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("paxect_batch.model."):
            found[kind.__name__] = kind
    return found
