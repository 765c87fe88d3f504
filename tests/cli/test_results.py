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


@pytest.mark.parametrize("direction", ["decode", "relay"])
def test_container_is_put_back_on_the_wire_of_its_run_or_not_at_all(
    tmp_path: Path, command: Command, direction: str
) -> None:
    """It was put where no run looks, with exit code 0."""
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    wire = inbox if direction == "decode" else tmp_path / "wire"
    for folder in (inbox, outbox, wire):
        folder.mkdir(exist_ok=True)
    (wire / "odd.txt.freq").write_bytes(b"nonsense")
    policy = tmp_path / "policy.toml"
    policy.write_text(f'version = "2"\nsettle_seconds = 0.0\n{POLICY}')
    folders = ("--inbox", inbox, "--outbox", outbox)
    how = ("--direction", direction, *(("--wire", wire) if wire != inbox else ()))
    said = command("drain", *folders, *how, "--policy", policy, "--summary")
    (listed,) = [words for words in steps(said.out) if words[0] == "quarantine"]
    assert listed[-2:] == ["--wire", str(wire)]
    identifier = command(*listed).out.split()[0]
    (inbox / ".paxect" / "wire").mkdir(exist_ok=True)
    refused = command("quarantine", "retry", *folders, identifier)
    assert refused.code == 64
    assert f"--wire {wire}" in refused.err
    assert not (wire / "odd.txt.freq").exists()
    shown = command("quarantine", "show", *folders, "--wire", wire, identifier)
    (retry,) = (
        shlex.split(line)[3:]
        for line in shown.out.splitlines()
        if line.startswith("try again ")
    )
    assert command(*retry).code == 0
    assert (wire / "odd.txt.freq").exists()


def test_wire_may_be_spelled_otherwise_and_others_are_put_back_beside_it(
    tmp_path: Path, command: Command
) -> None:
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    wires = [tmp_path / "one", tmp_path / "two"]
    policy = tmp_path / "policy.toml"
    policy.write_text(f'version = "2"\nsettle_seconds = 0.0\n{POLICY}')
    for folder in (inbox, outbox, *wires):
        folder.mkdir()
    folders = ("--inbox", inbox, "--outbox", outbox)
    for wire in wires:
        (wire / f"{wire.name}.txt.freq").write_bytes(b"nonsense")
        command("drain", *folders, "--wire", f"{wire}/", "--policy", policy)
    said = command("quarantine", "retry", *folders, "--wire", wires[0], "--all")
    assert said.code == 64
    assert f"--wire {wires[1]}" in said.err
    assert (wires[0] / "one.txt.freq").exists()
    assert not (wires[1] / "two.txt.freq").exists()
