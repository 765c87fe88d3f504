"""The rules and the model do nothing to the world and ask nothing of it."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import paxect_batch.model
import paxect_batch.rules

PURE = {
    "__future__",
    "collections.abc",
    "datetime",
    "difflib",
    "enum",
    "errno",
    "fnmatch",
    "functools",
    "hashlib",
    "hmac",
    "json",
    "math",
    "msgspec",
    "re",
    "tomllib",
    "typing",
    "unicodedata",
}
ASKS_THE_CLOCK = {"now", "utcnow", "today"}
PURE_CORE = {"paxect_core.limits", "paxect_core.window"}
SOURCES = [
    path
    for package in (paxect_batch.model, paxect_batch.rules)
    for path in sorted(Path(package.__path__[0]).glob("*.py"))
]


def is_allowed(module: str, *, model: bool) -> bool:
    if module in PURE or module in PURE_CORE:
        return True
    own = (
        ("paxect_batch.model",)
        if model
        else ("paxect_batch.model", "paxect_batch.rules")
    )
    return module.startswith(own)


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            joined = {f"{node.module}.{alias.name}" for alias in node.names}
            deeper = node.module in {"paxect_core", "paxect_batch.rules"}
            found |= joined if deeper else {node.module}
    return found


def test_no_module_asks_for_the_time() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        if "datetime" in imports(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ASKS_THE_CLOCK
    ]
    assert found == []


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_module_imports_only_what_is_pure(path: Path) -> None:
    model = path.parent.name == "model"
    assert not {m for m in imports(path) if not is_allowed(m, model=model)}


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_module_opens_nothing(path: Path) -> None:
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {
        "open",
        "print",
        "input",
        "exec",
        "eval",
        "compile",
        "__import__",
    }


POISONED = """
import builtins, importlib, os, random, sys, time
import difflib, fnmatch, hashlib, hmac, json, tomllib, unicodedata, msgspec

def poisoned(name):
    def refuse(*args, **named):
        raise AssertionError(f"{name} was called with {args}")
    return refuse

for module, names in (
    (builtins, ["open", "input", "print"]),
    (os, [n for n in dir(os) if callable(getattr(os, n)) and not isinstance(getattr(os, n), type)
          and n not in ("fspath", "fsencode", "fsdecode", "_exit")]),
    (time, ["time", "time_ns", "monotonic", "monotonic_ns", "sleep", "perf_counter"]),
    (random, ["random", "randint", "choice", "randbytes"]),
):
    for name in names:
        setattr(module, name, poisoned(f"{module.__name__}.{name}"))

for name in sys.argv[1:]:
    importlib.import_module(name)

from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.rules.admission import admit
from paxect_batch.rules.policy import policy_sha256, read_policy
from paxect_batch.rules.sample import encode_twice
from paxect_batch.rules.trust import sign

law = read_policy(b'version = "2"\\ninclude = ["**/*.csv"]', name="p.toml")
policy_sha256(law)
sign({"node": "n"}, b"k")
encode_twice("a", 1, 1)
item = Item(
    Direction.ENCODE,
    Place(Root.INBOX, "x/a.csv"),
    Facts(Kind.FILE, Identity(1, 2, 3), 0o644, 0),
)
decision = admit(
    item, law, share_now=1e9, marked_ready=False, attempts=None, done=False
)
sys.stdout.write(decision.verdict)
"""


@pytest.mark.slow
def test_modules_work_where_files_and_clocks_are_poisoned() -> None:
    names = [f"paxect_batch.{path.parent.name}.{path.stem}" for path in SOURCES]
    names = [name.removesuffix(".__init__") for name in names]
    roots = [
        str(Path(importlib.util.find_spec(package).origin).parent.parent)
        for package in ("paxect_batch", "paxect_core")
    ]
    # Coverage would measure by means that are poisoned here.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    outcome = subprocess.run(
        [sys.executable, "-S", "-c", POISONED, *names],
        env={**kept, "PYTHONPATH": os.pathsep.join([*roots, *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (0, "admitted"), outcome.stderr
