"""The top level holds what it should, and says the same thing everywhere."""

import ast
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

import paxect_core

ROOT = Path(__file__).parents[2]

TOP_LEVEL = {
    *(".ci", ".gitattributes", ".gitignore", ".github"),
    *("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md"),
    *("SECURITY.md", "pyproject.toml", "requirements-dev.txt"),
    *("core", "demos", "deploy", "docs", "paxect_batch", "schemas", "scripts", "tests"),
}
NEEDED = {"LICENSE", "README.md", "core", "paxect_batch", "pyproject.toml", "tests"}


def project() -> dict[str, object]:
    with open(ROOT / "pyproject.toml", "rb") as file:
        found: dict[str, object] = tomllib.load(file)["project"]
    return found


def tracked() -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False
        )
    except OSError:
        pytest.skip("no git here")
    if done.returncode:
        pytest.skip("not a git checkout")
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def test_top_level_holds_only_what_it_should() -> None:
    names = {name.partition("/")[0] for name in tracked()}
    assert names <= TOP_LEVEL
    assert names >= NEEDED


def test_no_file_is_tracked_that_is_made() -> None:
    made = (".pyc", ".pyo", ".so", ".egg-info", ".coverage", ".part")
    assert [name for name in tracked() if name.endswith(made)] == []


def test_both_packages_are_marked_as_typed() -> None:
    assert (ROOT / "core" / "paxect_core" / "py.typed").is_file()
    assert (ROOT / "paxect_batch" / "py.typed").is_file()


def test_license_is_the_one_that_the_project_names() -> None:
    assert project()["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0" in text


def test_version_is_stated_once() -> None:
    assert project()["dynamic"] == ["version"]
    stated = [
        (path.name, node.value.value)
        for folder in ("core/paxect_core", "paxect_batch")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and ast.unparse(node.targets[0]) == "__version__"
    ]
    assert stated == [("__init__.py", paxect_core.__version__)]


def test_codec_is_pinned_to_one_version() -> None:
    # Another libzstd may compress to other bytes.
    pins = [line for line in project()["dependencies"] if "zstandard" in line]  # type: ignore[attr-defined]
    assert len(pins) == 1
    assert "==" in pins[0]
