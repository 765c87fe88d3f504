"""What is built and locked is what the project says of itself."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import BytesParser
from importlib.util import find_spec
from pathlib import Path

import pytest

import paxect_core

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")

needs_backend = pytest.mark.skipif(
    find_spec("hatchling") is None, reason="the build backend is not installed here"
)


def build(target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target]
    subprocess.run([*command, "-d", folder], cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return path


@pytest.mark.slow
@needs_backend
def test_wheel_holds_both_packages_typed_and_licensed(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", tmp_path)) as wheel:
        names = set(wheel.namelist())
        (metadata_name,) = (name for name in names if name.endswith("/METADATA"))
        metadata = BytesParser().parsebytes(wheel.read(metadata_name))
    info = metadata_name.removesuffix("METADATA")
    assert {f"{info}licenses/LICENSE", f"{info}entry_points.txt"} <= names
    assert {"paxect_core/py.typed", "paxect_batch/py.typed"} <= names
    assert {name.split("/")[0] for name in names} == {
        "paxect_batch",
        "paxect_core",
        info.rstrip("/"),
        info.replace(".dist-info/", ".data"),
    }
    pages = f"{info.replace('.dist-info/', '.data')}/data/share/man/man1"
    programs = PROJECT["project"]["scripts"]
    assert {f"{pages}/{program}.1" for program in programs} <= names
    serve = "paxect_batch/serve"
    assert {
        f"{serve}/page/page.js",
        f"{serve}/grafana.json",
        f"{serve}/alerts.yml",
    } <= (names)
    modules = {name for name in names if name.endswith(".py")}
    assert modules == {
        path.relative_to(home).as_posix()
        for home, package in ((ROOT / "core", "paxect_core"), (ROOT, "paxect_batch"))
        for path in (home / package).rglob("*.py")
    }
    assert metadata["Version"] == paxect_core.__version__
    assert "zstandard==0.25.0" in metadata.get_all("Requires-Dist")


@pytest.mark.slow
@needs_backend
def test_source_distribution_holds_what_the_check_needs(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    assert {
        ".ci/run",
        "LICENSE",
        "README.md",
        "core/paxect_core/py.typed",
        "paxect_batch/py.typed",
        "pyproject.toml",
        "requirements-dev.txt",
        "scripts/check",
        "tests/docs/test_distribution.py",
    } <= names
    assert not {name for name in names if name.startswith((".venv", ".git/"))}


def requirements() -> list[str]:
    groups = PROJECT["dependency-groups"]
    return [
        *PROJECT["project"]["dependencies"],
        *PROJECT["build-system"]["requires"],
        *groups["test"],
        *groups["build"],
    ]


@pytest.mark.parametrize("requirement", requirements())
def test_lock_fits_what_the_project_requires(requirement: str) -> None:
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    found = re.search(rf"^{re.escape(wanted.name)}==(\S+)", LOCK, re.MULTILINE)
    assert found
    assert wanted.specifier.contains(found[1])


def test_lock_hashes_every_package_and_names_no_place() -> None:
    packages = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"://|--(index|extra|find|trusted)", LOCK)


def test_codec_is_pinned_to_the_version_that_runs() -> None:
    assert "zstandard==0.25.0" in PROJECT["project"]["dependencies"]
    assert paxect_core.CODEC_VERSION == "zstandard 0.25.0, libzstd 1.5.7"
