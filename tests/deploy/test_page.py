"""The page on deploying names what is there, and commands that parse."""

import re
import shlex

import pytest
from deploy_files import DEPLOY, ROOT

from paxect_batch.cli.arguments import parse

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
INDENTED = [line.strip() for line in PAGE.splitlines() if line.startswith("    ")]
COMMANDS = [line for line in INDENTED if line.startswith("paxect-batch ")]


def test_page_leads_to_every_file_to_copy() -> None:
    files = {path for path in DEPLOY.rglob("*") if path.is_file()}
    told = {DEPLOY / name for name in re.findall(r"\(\.\./deploy/([^)]+)\)", PAGE)}
    assert files - told == {DEPLOY / "docker" / "Dockerfile.dockerignore"}
    assert told <= files


@pytest.mark.parametrize("line", COMMANDS)
def test_command_of_the_page_parses(line: str) -> None:
    parse(shlex.split(line.partition(" >")[0])[1:])


def test_page_runs_the_image_as_the_dockerfile_says() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    (shown,) = re.findall(
        r"docker run -d .*(?:\n.*)+?paxect-batch$", PAGE, re.MULTILINE
    )
    words = " ".join(shown.replace("\\\n", " ").split())
    commented = text.replace("\\\n#", " ")
    assert words in " ".join(commented.split())


def test_units_that_the_page_starts_are_there() -> None:
    named = set(re.findall(r"(paxect-batch-(?:watch|drain)@)\$\(", PAGE))
    there = {path.name.partition("@")[0] + "@" for path in DEPLOY.rglob("*@.service")}
    assert named == there
