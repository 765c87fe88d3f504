"""The directions of design.md hold, and the rules that say so bite."""

from pathlib import Path

import pytest
from directions import breaches, read

ROOT = Path(__file__).parents[2]


def test_imports_of_this_tree_keep_every_direction() -> None:
    assert breaches(str(ROOT)) == []


def test_imports_are_read_of_both_packages() -> None:
    modules = read(str(ROOT))
    assert "paxect_core.codec" in modules
    assert "paxect_batch" in modules
    codec = {found.target for found in modules["paxect_core.codec"].imports}
    assert {"zstandard", "paxect_core.errors"} <= codec


def plant(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        base = root / "core" if name.startswith("paxect_core") else root
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


GUARD = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "

BREAKING = {
    "core-imports-batch": {
        "paxect_core/a.py": "import paxect_batch.model.item",
    },
    "core-imports-batch-for-types": {
        "paxect_core/a.py": GUARD + "from paxect_batch.model import item",
    },
    "model-imports-rules": {
        "paxect_batch/model/a.py": "from paxect_batch.rules import next_step",
    },
    "model-imports-seams": {
        "paxect_batch/model/a.py": "from paxect_batch.seams import Share",
    },
    "model-imports-sibling-relatively": {
        "paxect_batch/model/a.py": "from ..world import share",
    },
    "rules-import-report": {
        "paxect_batch/rules/a.py": "from paxect_batch import report",
        "paxect_batch/report/__init__.py": "",
    },
    "rules-import-world-in-a-function": {
        "paxect_batch/rules/a.py": "def f():\n    import paxect_batch.world.clock",
    },
    "report-imports-relay-for-types": {
        "paxect_batch/report/a.py": GUARD + "from paxect_batch.relay.node import N",
    },
    "rules-import-os": {"paxect_batch/rules/a.py": "import os.path"},
    "rules-import-time": {"paxect_batch/rules/a.py": "from time import monotonic"},
    "rules-import-random": {"paxect_batch/rules/a.py": "import random as r"},
    "report-imports-pathlib": {
        "paxect_batch/report/a.py": "from pathlib import Path",
    },
    "report-imports-io": {"paxect_batch/report/a.py": "import io"},
    "rules-open-a-file": {"paxect_batch/rules/a.py": "text = open('x').read()"},
    "rules-ask-the-clock": {
        "paxect_batch/rules/a.py": (
            "import datetime\nnow = datetime.datetime.now(datetime.UTC)"
        ),
    },
    "relay-imports-world": {
        "paxect_batch/relay/a.py": "from paxect_batch.world.share import LocalShare",
    },
    "work-imports-world": {
        "paxect_batch/work/a.py": "from paxect_batch.world import share",
        "paxect_batch/world/share.py": "",
    },
    "work-imports-relay": {
        "paxect_batch/work/a.py": "from paxect_batch.relay import claim",
    },
    "world-imports-rules": {
        "paxect_batch/world/a.py": "from paxect_batch.rules.pace import pace",
    },
    "world-imports-relay": {
        "paxect_batch/world/a.py": "import paxect_batch.relay.node",
    },
    "relay-imports-cli": {
        "paxect_batch/relay/a.py": "from paxect_batch.cli.settings import Settings",
    },
    "package-imports-cli": {
        "paxect_batch/__init__.py": "from paxect_batch.cli.main import main",
    },
    "seams-import-world": {
        "paxect_batch/seams.py": "from paxect_batch.world.share import LocalShare",
    },
    "unknown-part": {
        "paxect_batch/extras/a.py": "from paxect_batch.model import item",
    },
    "two-homes": {
        "paxect_batch/world/a.py": "import psutil",
        "paxect_batch/cli/b.py": "def f():\n    from psutil import Process",
    },
    "two-homes-across-packages": {
        "paxect_core/codec.py": "import zstandard",
        "paxect_batch/work/b.py": GUARD + "import zstandard",
    },
    "environment-in-relay": {
        "paxect_batch/relay/a.py": "import os\nHOME = os.environ['HOME']",
    },
    "environment-by-getenv": {
        "paxect_batch/world/a.py": "import os\nHOME = os.getenv('HOME')",
    },
    "environment-by-name": {
        "paxect_core/wire.py": "from os import environ",
    },
    "environment-looked-at-where-it-is-handed-on": {
        "paxect_batch/world/pool.py": "import os\nHOME = os.environ['HOME']",
    },
    "environment-handed-on-elsewhere": {
        "paxect_batch/world/share.py": "import os\nE = {**os.environ}",
    },
    "cycle-of-two": {
        "paxect_core/a.py": "from paxect_core import b",
        "paxect_core/b.py": "import paxect_core.a",
    },
    "cycle-of-three-with-a-late-import": {
        "paxect_batch/world/a.py": "from paxect_batch.world.b import x",
        "paxect_batch/world/b.py": "from .c import x",
        "paxect_batch/world/c.py": "def f():\n    from . import a",
    },
    "cycle-of-one": {"paxect_core/a.py": "import paxect_core.a"},
}


@pytest.mark.parametrize("name", BREAKING)
def test_tree_that_breaks_a_rule_is_told(tmp_path: Path, name: str) -> None:
    found = breaches(plant(tmp_path, BREAKING[name]))
    assert len(found) == 1, found


KEEPING = {
    "nothing-there": {},
    "cli-imports-everything": {
        "paxect_batch/cli/a.py": (
            "import os, sys\n"
            "from paxect_batch import seams\n"
            "from paxect_batch.model import a\n"
            "from paxect_batch.rules import b\n"
            "from paxect_batch.report import c\n"
            "from paxect_batch.relay import d\n"
            "from paxect_batch.work import e\n"
            "from paxect_batch.world import f\n"
        ),
    },
    "main-imports-cli": {
        "paxect_batch/__main__.py": "from paxect_batch.cli.main import main",
    },
    "cycle-of-types-only": {
        "paxect_core/a.py": "from paxect_core import b",
        "paxect_core/b.py": GUARD + "from paxect_core.a import A",
    },
    "one-home-and-msgspec-everywhere": {
        "paxect_batch/model/a.py": "import msgspec",
        "paxect_batch/report/b.py": "import msgspec.json",
        "paxect_batch/world/c.py": "import filelock",
    },
    "environment-where-it-may-be-read": {
        "paxect_batch/cli/settings.py": "import os\nE = os.environ",
        "paxect_batch/world/keys.py": "from os import environ",
        "paxect_core/memory.py": "import os\nE = os.environ",
        "paxect_core/cli.py": "import os\nE = os.environ.get('X')",
    },
    "environment-handed-on-whole": {
        "paxect_batch/world/pool.py": "import os\nE = {**os.environ, 'A': 'b'}",
    },
    "pure-rules": {
        "paxect_batch/rules/a.py": (
            "import hashlib, posixpath\n"
            "from datetime import datetime\n"
            "from paxect_batch.model.item import Item\n"
            "from paxect_core.wire import Settings\n"
            "def opened(now: datetime) -> object:\n    return now.replace()\n"
        ),
    },
}


@pytest.mark.parametrize("name", KEEPING)
def test_tree_that_keeps_the_rules_is_left_alone(tmp_path: Path, name: str) -> None:
    assert breaches(plant(tmp_path, KEEPING[name])) == []
