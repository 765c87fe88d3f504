"""Folders of which a run would take what it made are refused before it begins."""

import json
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share, names

from paxect_batch.cli.apart import require_apart
from paxect_batch.cli.main import main
from paxect_batch.model.errors import ConfigError
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Root


def require(
    folder: Path,
    mode: Mode,
    *,
    wire: str = "in/.paxect/wire",
    inbox: str = "in",
    outbox: str = "out",
    state: str = "in/.paxect",
) -> None:
    named = {
        Root.INBOX: inbox,
        Root.OUTBOX: outbox,
        Root.WIRE: wire,
        Root.STATE: state,
    }
    require_apart({root: str(folder / name) for root, name in named.items()}, mode)


@pytest.fixture(params=["made", "not made"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder below which the roots are there, or not yet."""
    if request.param == "made":
        for name in ("in/.paxect/wire", "in/sub/wire", "in/out", "out/in", "w"):
            (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"wire": "w"},
        {"wire": "in"},
        {"wire": "out"},
        {"wire": "out/.wire"},
        {"inbox": "out/in", "state": "out/in/.paxect"},
        {"outbox": "in/.out"},
        {"outbox": "in/out.tmp/now"},
        {"outbox": "w/out", "wire": "w"},
        {"outbox": "inner"},
    ],
)
def test_folders_of_which_no_run_takes_what_it_made_are_allowed(
    folder: Path, mode: Mode, changes: dict[str, str]
) -> None:
    require(folder, mode, **changes)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"outbox": "in"}, "use two folders"),
        ({"inbox": "in/.paxect"}, "the inbox"),
        ({"inbox": "in/.paxect/quarantine"}, "the inbox"),
        ({"outbox": "in/.paxect/stage"}, "the outbox"),
        ({"wire": "in/.paxect"}, "the wire"),
        ({"wire": "in/.paxect/archive"}, "the wire"),
        ({"outbox": "in/.paxect/wire"}, "the outbox"),
    ],
)
def test_one_folder_for_two_and_the_relays_own_are_refused_whatever_the_direction(
    folder: Path, mode: Mode, changes: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match="nothing was touched") as caught:
        require(folder, mode, **changes)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("changes", "modes"),
    [
        ({"outbox": "in/out"}, {Mode.RELAY}),
        ({"outbox": "in/out", "wire": "in/out"}, {Mode.RELAY, Mode.ENCODE}),
        ({"outbox": "in/out", "wire": "in"}, {Mode.RELAY}),
        ({"wire": "in/sub/wire"}, {Mode.RELAY, Mode.ENCODE}),
        ({"state": "in/own"}, {Mode.RELAY, Mode.ENCODE}),
        ({"state": "w/own", "wire": "w"}, {Mode.RELAY, Mode.DECODE}),
    ],
)
def test_folder_in_one_that_is_taken_from_is_refused_to_those_who_take_from_it(
    folder: Path, changes: dict[str, str], modes: set[Mode]
) -> None:
    for mode in Mode:
        if mode in modes:
            with pytest.raises(ConfigError, match="would be taken again"):
                require(folder, mode, **changes)
        else:
            require(folder, mode, **changes)


@pytest.mark.parametrize(
    ("link", "target", "changes"),
    [
        ("alias", "in", {"outbox": "alias"}),
        ("alias", "in", {"outbox": "alias/out"}),
        ("alias", "in/sub", {"outbox": "alias"}),
        ("alias", "in", {"wire": "alias"}),
        ("alias", "in/sub", {"wire": "alias"}),
        ("alias", "in/.paxect", {"outbox": "alias/x"}),
        ("in/x", "out", {"inbox": "in/x", "state": "in/x/.paxect"}),
    ],
)
def test_link_does_not_hide_that_folders_are_one(
    tmp_path: Path, link: str, target: str, changes: dict[str, str]
) -> None:
    for name in ("in/.paxect", "in/sub", "in/out", "out"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / link).symlink_to(tmp_path / target)
    with pytest.raises(ConfigError, match="nothing was touched"):
        require(tmp_path, Mode.RELAY, **changes)


def test_link_in_the_inbox_that_leads_out_of_it_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "x").symlink_to(tmp_path / "out")
    require(tmp_path, Mode.RELAY, outbox="in/x")


@pytest.mark.parametrize("direction", ["relay", "encode"])
def test_run_whose_outbox_lies_in_its_inbox_ends_with_64_and_touches_nothing(
    tmp_path: Path, command: Command, direction: str
) -> None:
    outbox = tmp_path / "in" / "out"
    outbox.mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("one")
    words = ("--inbox", outbox.parent, "--outbox", outbox, "--direction", direction)
    for action in (["drain"], ["drain", "--dry-run"], ["watch"]):
        said = command(*action, *words)
        assert said.code == 64
        assert f"the outbox {str(outbox)!r} lies in the inbox" in said.err
    assert names(tmp_path) == ["in/a.txt"]


@pytest.mark.parametrize(
    "changes",
    [
        {"outbox": "inbox"},
        {"outbox": "inbox/out"},
        {"wire": "inbox/out"},
        {"inbox": ".paxect"},
    ],
)
def test_share_is_refused_whatever_way_its_node_goes(
    tmp_path: Path, command: Command, changes: dict[str, str]
) -> None:
    share = make_share(tmp_path)
    (share / "inbox" / "out").mkdir()
    marker = share / ".paxect" / "share.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | changes))
    drop(share, a_txt=b"one")
    before = names(share)
    for direction in Mode:
        said = command("drain", share, "--direction", direction)
        assert said.code == 64
        assert "nothing was touched" in said.err
    assert names(share) == before


@pytest.mark.slow
def test_containers_beside_files_in_a_shares_inbox_are_relayed(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path)
    marker = share / ".paxect" / "share.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"wire": "inbox"}))
    drop(share, a_txt=b"one")
    assert command("drain", share).code == 0
    assert names(share / "outbox") == ["a.txt"]


@pytest.mark.slow
def test_what_is_decoded_may_go_below_the_folder_of_its_containers(
    tmp_path: Path, command: Command
) -> None:
    inbox, made = tmp_path / "in", tmp_path / "made"
    (inbox / "out").mkdir(parents=True)
    made.mkdir()
    (made / "a.txt").write_text("one")
    policy = tmp_path / "policy.toml"
    policy.write_text('version = "2"\nsettle_seconds = 0\n')
    words = ("--policy", policy, "--direction")
    folders = ("--inbox", made, "--outbox", inbox)
    assert main(["drain", *map(str, (*folders, *words, "encode"))]) == 0
    folders = ("--inbox", inbox, "--outbox", inbox / "out")
    assert command("drain", *folders, *words, "decode").code == 0
    assert (inbox / "out" / "a.txt").read_text() == "one"
