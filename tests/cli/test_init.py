"""A share is laid out whole, and what is there stays as it is."""

import re
from pathlib import Path

import msgspec
from cli_samples import Command

from paxect_batch.cli.init import POLICY_TEXT
from paxect_batch.cli.layout import read_marker
from paxect_batch.model.policy import Policy
from paxect_batch.rules.policy import read_policy


def test_init_lays_out_a_share_and_says_what_to_do_next(
    tmp_path: Path, command: Command
) -> None:
    share = tmp_path / "share"
    said = command("init", share)
    assert said.code == 0
    assert f"paxect-batch drain {share}" in said.out
    assert said.err == ""
    assert sorted(path.name for path in share.iterdir()) == [
        ".paxect",
        "inbox",
        "outbox",
        "wire",
    ]
    assert read_marker(str(share)).format == 1


def test_init_of_two_shares_gives_two_ids(tmp_path: Path, command: Command) -> None:
    for name in "ab":
        assert command("init", "-q", tmp_path / name).out == ""
    assert (
        read_marker(str(tmp_path / "a")).share_id
        != read_marker(str(tmp_path / "b")).share_id
    )


def test_init_of_a_share_refuses_and_changes_nothing(
    tmp_path: Path, command: Command
) -> None:
    command("init", tmp_path)
    before = (tmp_path / ".paxect" / "share.json").read_bytes()
    said = command("init", tmp_path)
    assert said.code == 64
    assert "is a share already; nothing was changed" in said.err
    assert (tmp_path / ".paxect" / "share.json").read_bytes() == before


def test_init_keeps_files_and_a_policy_that_are_there(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.txt").write_text("a")
    (tmp_path / ".paxect").mkdir()
    (tmp_path / ".paxect" / "policy.toml").write_text('version = "2"\n')
    assert command("init", tmp_path).code == 0
    assert (tmp_path / "inbox" / "a.txt").read_text() == "a"
    assert (tmp_path / ".paxect" / "policy.toml").read_text() == 'version = "2"\n'


def test_init_where_a_file_is_in_the_way_makes_no_share(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / "outbox").write_text("mine")
    said = command("init", tmp_path)
    assert said.code == 3
    assert "it is no share yet" in said.err
    assert (tmp_path / "outbox").read_text() == "mine"
    assert not (tmp_path / ".paxect" / "share.json").exists()


def test_policy_of_a_new_share_changes_no_default() -> None:
    assert read_policy(POLICY_TEXT.encode(), name="p.toml") == Policy(version="2")


def test_policy_of_a_new_share_names_every_key_with_its_default() -> None:
    text = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", POLICY_TEXT)
    assert read_policy(text.encode(), name="p.toml") == Policy(version="2")
    named = re.findall(r"(?m)^([a-z_]+) = ", text)
    assert sorted(named) == sorted(
        field.name for field in msgspec.structs.fields(Policy)
    )
