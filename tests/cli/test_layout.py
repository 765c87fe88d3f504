"""Folders are found by the share's marker, or named one by one; never guessed."""

import json
from pathlib import Path

import pytest
from cli_samples import make_share

from paxect_batch.cli.arguments import parse
from paxect_batch.cli.layout import Layout, find_layout
from paxect_batch.cli.settings import load
from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.model.places import Root


def layout(*words: object, share: Path | None = None) -> Layout:
    arguments = parse(["drain", *map(str, words)])
    return find_layout(
        load(arguments, share=None if share is None else str(share), environ={})
    )


def test_share_has_the_folders_of_its_marker(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    marker = share / ".paxect" / "share.json"
    facts = json.loads(marker.read_text()) | {"inbox": "in/here"}
    marker.write_text(json.dumps(facts))
    (share / "in" / "here").mkdir(parents=True)
    found = layout(share=share)
    assert found.roots == {
        Root.INBOX: str(share / "in" / "here"),
        Root.OUTBOX: str(share / "outbox"),
        Root.WIRE: str(share / "wire"),
        Root.STATE: str(share / ".paxect"),
    }
    assert found.words == str(share)
    assert not found.in_place


def test_share_without_a_marker_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="see that the share is mounted"):
        layout(share=tmp_path)


def test_share_whose_folder_is_gone_is_not_ready(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    (share / "wire").rmdir()
    with pytest.raises(NotReady, match="wire' is not there"):
        layout(share=share)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "is of format 2"),
        ({"format": 2, "shards": 4}, "use the version that made it"),
        ({"format": 2, "inbox": ["a"]}, "use the version that made it"),
        ({"format": "x"}, "is no share marker"),
        ({"typo": 1}, "is no share marker"),
        ({"inbox": "../other"}, "inbox is '../other'"),
        ({"outbox": "/abs"}, "outbox is '/abs'"),
        ({"wire": ""}, "wire is ''"),
        ({"wire": "."}, "wire is '.'"),
    ],
)
def test_marker_that_cannot_be_meant_is_refused(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    share = make_share(tmp_path)
    marker = share / ".paxect" / "share.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | changes))
    with pytest.raises(ConfigError) as caught:
        layout(share=share)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("direction", "wire"),
    [("encode", "out"), ("decode", "in"), ("relay", "in/.paxect/wire")],
)
def test_own_folders_have_a_wire_by_direction(
    tmp_path: Path, direction: str, wire: str
) -> None:
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    outbox.mkdir()
    words = ("--inbox", inbox, "--outbox", outbox, "--direction", direction)
    found = layout(*words)
    assert found.roots[Root.WIRE] == str(tmp_path / wire)
    assert found.roots[Root.STATE] == str(inbox / ".paxect")
    more = "" if direction == "relay" else f" --wire {tmp_path / wire}"
    assert found.words == f"--inbox {inbox} --outbox {outbox}{more}"
    assert found.in_place is (direction == "decode")
    assert not (inbox / ".paxect").exists()
    found.make_ready()
    assert (tmp_path / wire).is_dir()
    assert (inbox / ".paxect").is_dir()


def test_own_wire_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    words = ["--inbox", tmp_path / "in", "--outbox", tmp_path / "out"]
    with pytest.raises(NotReady, match="w' is not there"):
        layout(*words, "--wire", tmp_path / "w")
    (tmp_path / "w").mkdir()
    found = layout(*words, "--wire", tmp_path / "w")
    found.make_ready()
    assert found.roots[Root.WIRE] == str(tmp_path / "w")


def test_own_folders_that_are_not_there_are_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="see that it is mounted"):
        layout("--inbox", tmp_path, "--outbox", tmp_path / "none")


def test_too_few_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder was named"):
        layout()
    with pytest.raises(ConfigError, match="--inbox is set and no outbox is"):
        layout("--inbox", tmp_path)
    with pytest.raises(ConfigError, match="use two folders"):
        layout("--inbox", tmp_path, "--outbox", tmp_path)
