"""A summary ends with commands that can be typed as they stand."""

import shlex
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share

pytestmark = pytest.mark.slow

POLICY = 'allowed_suffixes = [".txt"]\nattempts = 1\n'


def steps(said_out: str) -> list[list[str]]:
    lines = [line.strip() for line in said_out.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("paxect-batch ")]


def test_steps_of_a_summary_show_what_needs_a_look(
    tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "two words"
    folder.mkdir()
    share = make_share(folder, POLICY)
    drop(share, a_txt=b"one", b_exe=b"two")
    (share / "wire" / "odd.txt.freq").write_bytes(b"nonsense")
    said = command("drain", share, "--summary", "--node", "n1")
    listed, planned, shown = steps(said.out)
    assert listed == ["quarantine", "list", str(share)]
    assert "wire/odd.txt.freq" in command(*listed).out
    assert planned == ["drain", "--dry-run", "--node", "n1", str(share)]
    assert "inbox/b.exe  (blocked: disallowed_suffix:.exe)" in command(*planned).out
    assert shown == ["status", str(share)]
    assert "set aside   1 file" in command(*shown).out


def test_steps_for_folders_of_ones_own_name_them(
    tmp_path: Path, command: Command
) -> None:
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    outbox.mkdir()
    (inbox / "a.exe").write_bytes(b"one")
    policy = tmp_path / "policy.toml"
    policy.write_text(f'version = "2"\nsettle_seconds = 0.0\n{POLICY}')
    folders = ("--inbox", inbox, "--outbox", outbox)
    said = command("drain", *folders, "--policy", policy, "--summary")
    assert said.code == 1
    (planned,) = steps(said.out)
    assert planned == [
        *("drain", "--dry-run", "--policy", str(policy)),
        *("--inbox", str(inbox), "--outbox", str(outbox)),
    ]
    assert "disallowed_suffix:.exe" in command(*planned).out
