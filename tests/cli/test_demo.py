"""The first run: a share is made, drained and proved before one's eyes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_samples import ROOT, Command

from paxect_batch.cli import demo
from paxect_batch.cli.init import lay_out
from paxect_batch.cli.main import main

SECONDS_MAX = 300.0
"""When a demo is said to hang."""

HOMES = (ROOT / "core", ROOT)
ENDLESS = """
import sys
from paxect_batch.cli import demo, main
demo._Demo._drain = lambda told: told._run("watch", "--node", "demo", "share")
sys.exit(main.main(["demo"]))
"""
"""A demo that does not end before it is stopped."""

SAMPLES = [
    "note.txt",
    "orders/2026-11-20.csv",
    "orders/2026-11-21.csv",
    "photos/empty.raw",
    "photos/pier at noon.raw",
]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of what is run."""
    folder = tmp_path / "t"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def delivered(folder: Path) -> list[str]:
    outbox = folder / "share" / "outbox"
    files = (path for path in outbox.rglob("*") if path.is_file())
    return sorted(path.relative_to(outbox).as_posix() for path in files)


@pytest.mark.slow
def test_demo_shows_commands_and_what_came_of_them_and_leaves_nothing(
    temporary: Path, command: Command
) -> None:
    said = command("demo")
    assert (said.code, said.err) == (0, "")
    typed = [x for x in said.out.splitlines() if x.startswith("$ ")]
    assert re.fullmatch(r"\$ cd .*paxect-demo-\w+", typed[0])
    assert typed[1:] == [
        "$ paxect-batch init --quiet share",
        "$ paxect-batch drain --node demo --summary share",
        "$ paxect-batch verify share",
        "$ paxect-batch manifest share",
    ]
    assert "all delivered; " in said.out
    assert "5 files, each equal to what was dropped, byte for byte" in said.out
    assert "all well\n" in said.out
    assert said.out.count("batch digest ") == 1
    for name in SAMPLES:
        assert f"  share/inbox/{name} " in said.out
        assert f"  share/outbox/{name} " in said.out
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_demo_that_is_kept_says_where_and_heeds_nothing_that_is_configured(
    temporary: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAXECT_BATCH_LOG", str(temporary / "log"))
    monkeypatch.setenv("PAXECT_LINK_INBOX", str(temporary / "inbox"))
    config = temporary / "config" / "paxect-batch" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("nonsense")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(temporary / "config"))
    said = command("demo", "--keep")
    assert (said.code, said.err) == (0, "")
    (folder,) = temporary.glob("paxect-demo-*")
    assert f"look further, in {folder}:" in said.out
    assert delivered(folder) == SAMPLES
    assert sorted(path.name for path in folder.iterdir()) == ["share"]
    assert not (temporary / "log").exists()
    config.unlink()
    assert main(["verify", "--quiet", str(folder / "share")]) == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals cannot be sent here")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_demo_that_is_stopped_ends_what_it_runs_and_leaves_nothing(
    temporary: Path, number: int, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, HOMES))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until(lambda: bool(list(temporary.glob("*/share/.paxect/nodes/demo/lease"))))
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == code, err
    assert b"stopped; the folder is gone again" in err
    assert b"AUDIT_SUMMARY_JSON=" in out
    assert list(temporary.iterdir()) == []


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_demo_in_a_folder_that_holds_something_touches_nothing(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    said = command("demo", "--folder", tmp_path)
    assert said.code == 64
    assert "is not empty; nothing was touched; name a new one" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_demo_in_a_folder_that_cannot_be_made_says_so(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / "file").write_text("")
    said = command("demo", "--folder", tmp_path / "file" / "new")
    assert said.code == 3
    assert "nothing was touched; name one that can be made" in said.err


def test_demo_takes_no_operand(command: Command) -> None:
    said = command("demo", "share")
    assert said.code == 64
    assert said.err.endswith("nothing was touched; use: paxect-batch demo\n")


class Actor:
    """Stands for the commands: lays out a share, and drains it in its own way."""

    def __init__(self, *, code: int = 0, spoils: bool = False) -> None:
        self.said: list[str] = []
        self._code = code
        self._spoils = spoils

    def __call__(self, told: demo._Demo, *words: str) -> int:
        self.said.append(words[0])
        share = told._folder / "share"
        if words[0] == "init":
            lay_out(str(share))
        if words[0] != "drain":
            return 0
        for path in list((share / "inbox").iterdir()):
            path.rename(share / "outbox" / path.name)
        if self._spoils:
            (share / "outbox" / "note.txt").write_text("else")
        return self._code


def play(monkeypatch: pytest.MonkeyPatch, actor: Actor) -> None:
    def run(told: demo._Demo, *words: str) -> int:
        return actor(told, *words)

    monkeypatch.setattr(demo._Demo, "_run", run)


def test_demo_in_an_empty_folder_uses_it_and_keeps_it(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = Actor()
    play(monkeypatch, actor)
    said = command("demo", "--folder", tmp_path)
    assert (said.code, said.err) == (0, "")
    assert actor.said == ["init", "drain", "verify", "manifest"]
    assert delivered(tmp_path) == SAMPLES
    assert f"look further, in {tmp_path}:" in said.out


def test_demo_when_a_command_fails_ends_with_its_code(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = Actor(code=3)
    play(monkeypatch, actor)
    said = command("demo", "--folder", tmp_path)
    assert said.code == 3
    assert actor.said == ["init", "drain"]
    assert f"that ended with 3; all is still in {str(tmp_path)!r}" in said.err


def test_demo_when_other_bytes_arrive_does_not_say_all_is_well(
    temporary: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = Actor(spoils=True)
    play(monkeypatch, actor)
    said = command("demo")
    assert said.code == 2
    assert "what arrived is not what was dropped; the folder is gone" in said.err
    assert "byte for byte" not in said.out
    assert list(temporary.iterdir()) == []
