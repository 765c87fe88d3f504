"""The Dockerfile is right, as far as that can be told without an engine.

`docker_steps.py` beside this runs its steps for real, in a root of its own.
"""

import re
import shutil
import signal
import subprocess
import tomllib
from pathlib import Path

import pytest
from deploy_files import DEPLOY, PREFIX, PROGRAM, ROOT, Place, Step, dockerfile

from paxect_batch.cli import settings
from paxect_batch.cli.arguments import parse
from paxect_batch.cli.settings import SETTINGS

PATH = DEPLOY / "docker" / "Dockerfile"
BUILD, FINAL = dockerfile(PATH)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def of(stage: list[Step], name: str) -> list[Step]:
    return [step for step in stage if step.name == name]


def only(name: str) -> Step:
    (step,) = of(FINAL, name)
    return step


def environment() -> dict[str, str]:
    return dict(word.split("=", 1) for word in only("ENV").words)


def copied() -> set[str]:
    return {source for step in of(BUILD, "COPY") for source in step.words[:-1]}


def is_copied(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in copied())


def test_build_copies_all_that_the_wheel_is_made_of() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [
        "pyproject.toml",
        PROJECT["project"]["readme"],
        *PROJECT["project"]["license-files"],
        PROJECT["tool"]["hatch"]["version"]["path"],
        *wheel["packages"],
        *wheel["shared-data"],
    ]
    assert all((ROOT / path).exists() and is_copied(path) for path in needed)


def test_build_is_sent_what_it_copies_and_nothing_else() -> None:
    text = PATH.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line[0] == "!"} == copied()
    assert lines[-1] == "**/__pycache__"


def test_image_holds_what_was_built_and_no_tool_to_build() -> None:
    (copy,) = of(FINAL, "COPY")
    assert copy.words == ["--from=build", PREFIX, PREFIX]
    assert "AS build" in BUILD[0].text
    assert BUILD[0].words[0] == FINAL[0].words[0]
    assert not of(FINAL, "RUN")


def test_image_runs_as_a_number_that_is_not_root() -> None:
    user, group = map(int, only("USER").text.split(":"))
    assert min(user, group) >= 1000


def test_image_starts_a_command_with_settings_that_exist() -> None:
    variables = environment()
    program, *rest = only("ENTRYPOINT").words + only("CMD").words
    first = variables.pop("PATH").split(":")[0]
    assert f"{first}/{program}" == PROGRAM
    loaded = settings.load(parse(rest), environ=variables)
    assert loaded.share == "/share"
    assert {f"PAXECT_BATCH_{name.upper()}" for name in SETTINGS} >= set(variables)
    text = PATH.read_text(encoding="utf-8")
    assert "target=/share" in text


def test_image_is_asked_for_its_health_where_it_listens_and_without_curl() -> None:
    health = only("HEALTHCHECK").text
    host, _, port = environment()["PAXECT_BATCH_LISTEN"].partition(":")
    assert f"HTTPConnection('{host}', {port}," in health
    assert not re.search(r"curl|wget", PATH.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")
def test_image_when_run_is_healthy_until_its_stop_signal(tmp_path: Path) -> None:
    place = Place(tmp_path)
    python = place.program.with_name("python")
    python.symlink_to(shutil.which("python3") or "python3")
    own = {
        "PAXECT_BATCH_SHARE": str(place.share),
        "PAXECT_BATCH_LISTEN": "127.0.0.1:0",
        "PAXECT_BATCH_QUIET": "false",
        "PATH": place.variables["PATH"],
    }
    words = only("ENTRYPOINT").words + only("CMD").words
    relay = subprocess.Popen(
        words,
        executable=str(place.program),
        env=place.variables | environment() | own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert relay.stderr is not None
    try:
        port = next(
            found[1]
            for found in (re.search(r"127\.0\.0\.1:(\d+)", x) for x in relay.stderr)
            if found
        )
        check = Step("CMD", only("HEALTHCHECK").text.partition("CMD ")[2]).words
        check = [str(python), *(word.replace("8081", port) for word in check[1:])]
        assert place.run(check).returncode == 0
    finally:
        relay.send_signal(signal.Signals[only("STOPSIGNAL").text])
        said, _ = relay.communicate()
    assert relay.returncode == 128 + signal.SIGTERM
    assert said.splitlines()[-1].startswith("AUDIT_SUMMARY_JSON=")
    assert place.run(check, check=False).returncode != 0


def test_wheel_has_every_man_page() -> None:
    pages = {f"docs/man/{path.name}" for path in (ROOT / "docs" / "man").iterdir()}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert pages == set(wheel["shared-data"])
