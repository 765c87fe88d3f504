"""What another user keeps to himself below the state folder stops nobody, and is his."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from lease_samples import kept, lease_of
from stages import LocalStage

from paxect_batch.cli.visible import VisibleShare
from paxect_batch.model.leases import is_name
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.handshake import peers_on_share
from paxect_batch.world import batch_choice, plain_files
from paxect_batch.world import keeper as keeper_module
from paxect_batch.world import leases as leases_module
from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.machine import this_machine


class Closing:
    """Refuses to open what has one of these words in its path."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}

    def require(self, path: str) -> None:
        for word, number in self.words.items():
            if word in path:
                raise OSError(number, os.strerror(number), path)


@pytest.fixture
def closing(monkeypatch: pytest.MonkeyPatch) -> Closing:
    closing = Closing()
    open_file, listed = plain_files.open_file, leases_module._listed

    def opened(path: str, flags: int, mode: int = 0o644) -> int:
        closing.require(path)
        return open_file(path, flags, mode)

    def names(*parts: str) -> list[str]:
        closing.require(os.path.join(*parts))
        return listed(*parts)

    monkeypatch.setattr(plain_files, "open_file", opened)
    monkeypatch.setattr(leases_module, "_listed", names)
    return closing


class SteppedTime:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_lease_that_cannot_be_read_keeps_nobody_from_taking_over_another(
    files: LeaseFiles,
    closing: Closing,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """No dead node was taken over any more, and a drain might wait for ever."""
    time = SteppedTime()
    monkeypatch.setattr(keeper_module, "time", time)
    assert files.create(lease_of("a-closed", seconds=5.0))
    assert files.create(lease_of("dead", seconds=20.0))
    closing.words["a-closed"] = number
    keeper = kept(files, "me")
    keeper.look_around()
    assert keeper.has_unheard
    for _ in range(61):
        time.seconds += 1.0
        keeper.look_around()
    assert [over.run for over in keeper.take_over()] == ["run-of-dead"]
    assert not keeper.has_unheard


def test_lease_that_could_be_read_meanwhile_is_waited_for_anew(
    files: LeaseFiles, closing: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not as long since it could be read as since it first could not."""
    time = SteppedTime()
    monkeypatch.setattr(keeper_module, "time", time)
    lease = lease_of("other", seconds=500.0)
    assert files.create(lease)
    keeper = kept(files, "me")
    keeper.look_around()
    closing.words["other"] = errno.EIO
    keeper.look_around()
    closing.words.clear()
    files.beat(msgspec.structs.replace(lease, beat=1), beats=[0])
    time.seconds += 100.0
    keeper.look_around()
    assert not keeper.has_unheard
    closing.words["other"] = errno.EIO
    keeper.look_around()
    assert keeper.has_unheard


def test_node_that_cannot_be_read_for_a_moment_stays_known(
    files: LeaseFiles, closing: Closing
) -> None:
    assert files.create(lease_of("other"))
    keeper = kept(files, "me")
    keeper.look_around()
    closing.words["other"] = errno.EACCES
    keeper.look_around()
    assert [lease.node for lease in keeper.others] == ["other"]


def test_markers_of_a_node_whose_lease_may_not_be_read_are_not_swept(
    tmp_path: Path, closing: Closing, joined: Callable[..., FileLocks]
) -> None:
    """The node that may not be read may have made them."""
    assert LeaseFiles(str(tmp_path)).create(lease_of("theirs", run="their-run"))
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="theirs", run="their-run")
    over = ClaimFiles(str(tmp_path))
    assert over.take("lost", node="buried", run="a run that is over")
    closing.words["nodes/theirs"] = errno.EACCES
    mine = joined("me")
    assert mine.claim("item") is None
    assert mine.claim("lost") is not None
    mine.leave()
    assert claims.owner("item") == ("theirs", "their-run")
    # What its next markers are made of.
    assert list((tmp_path / "claims").glob("their-run.*"))


def test_marker_that_may_not_be_read_keeps_its_item_and_nothing_else(
    tmp_path: Path, closing: Closing, joined: Callable[..., FileLocks]
) -> None:
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="theirs", run="their-run")
    (marker,) = (tmp_path / "claims").glob("*.lock")
    closing.words[marker.name] = errno.EACCES
    mine = joined("me")
    assert mine.claim("item") is None
    assert mine.seems_taken("item")
    assert mine.claim("other item") is not None
    mine.leave()
    assert marker.exists()


@pytest.mark.parametrize("word", ["over/", "intents/theirs"])
def test_papers_that_may_not_be_read_keep_nobody_from_joining(
    tmp_path: Path, closing: Closing, joined: Callable[..., FileLocks], word: str
) -> None:
    (tmp_path / "over").mkdir()
    (tmp_path / "over/their-run~another-run").write_bytes(b"theirs")
    (tmp_path / "intents/theirs/their-run").mkdir(parents=True)
    closing.words[word + "their" if word == "over/" else word] = errno.EACCES
    assert joined("me").over() == []
    assert (tmp_path / "over/their-run~another-run").exists()


def test_names_that_are_no_text_are_no_names_of_nodes_and_stop_nobody(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    """Every run ended with a fault of its own."""
    assert not is_name(os.fsdecode(b"\xfe"))
    folder = os.fsencode(tmp_path) + b"/intents"
    os.makedirs(folder + b"/\xfe/\xfd")
    assert joined("me").over() == []


def test_manifest_that_may_not_be_read_is_one_that_says_nothing(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(Root.STATE, "nodes/theirs/manifest.json")
    stage.share.write(place, b"{}")
    read = type(stage.share).read

    def closed(share: object, at: Place, bytes_max: int) -> bytes | None:
        if at == place:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return read(share, at, bytes_max)  # type: ignore[arg-type]

    monkeypatch.setattr(type(stage.share), "read", closed)
    (peer,) = peers_on_share(stage.share, fresh=True)
    assert (peer.node, peer.data) == ("theirs", b"")


def test_who_only_looks_sees_the_rest_and_hears_of_folders_that_are_closed_to_him(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.share.write(Place(Root.STATE, "attempts/mine.json"), b"{}")
    stage.share.write(Place(Root.STATE, "attempts/theirs.json"), b"{}")
    shown = VisibleShare(stage.roots)
    tree = type(shown._tree)
    opened, scanned = tree.open, tree.scan

    def closed(self: object, place: Place, flags: int) -> int:
        if place.name == "theirs.json":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(self, place, flags)  # type: ignore[arg-type]

    def unlisted(self: object, folder: Place) -> object:
        if folder.path in ("claims", "runs/theirs"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scanned(self, folder)  # type: ignore[arg-type]

    monkeypatch.setattr(tree, "open", closed)
    monkeypatch.setattr(tree, "scan", unlisted)
    assert shown.read(Place(Root.STATE, "attempts/mine.json"), 10) == b"{}"
    assert shown.read(Place(Root.STATE, "attempts/theirs.json"), 10) is None
    assert list(shown.entries(Place(Root.STATE, "runs/theirs"))) == []
    with pytest.raises(PermissionError):
        list(shown.entries(Place(Root.STATE, "claims")))


def test_rescue_of_a_node_that_cannot_be_read_just_now_is_left_to_it(
    files: LeaseFiles, closing: Closing
) -> None:
    for node in ("dead", "rescuer"):
        assert files.create(lease_of(node))
    judged = files.read("dead")
    assert judged is not None
    assert files.end("dead", judged, "run-of-rescuer") is not None
    keeper = kept(files, "me")
    closing.words["nodes/rescuer"] = errno.EIO
    keeper.look_around()
    assert keeper.take_over() == []


def test_nobody_begins_beside_a_node_that_may_live_and_cannot_be_read(
    tmp_path: Path, closing: Closing, joined: Callable[..., FileLocks]
) -> None:
    """What it delivered would not be heard of, and go twice."""
    assert LeaseFiles(str(tmp_path)).create(lease_of("other"))
    closing.words["nodes/other"] = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        joined("me")


def test_who_leaves_beside_a_lease_that_may_not_be_read_is_not_the_last(
    files: LeaseFiles, closing: Closing
) -> None:
    assert files.create(lease_of("other", batch="batch"))
    closing.words["nodes/other"] = errno.EACCES
    own = lease_of("me", batch="batch")
    assert not batch_choice.is_last(own, files, wait=lambda: 1.0)


def test_marker_for_the_batch_that_may_not_be_read_keeps_nobody_from_joining(
    tmp_path: Path, closing: Closing, joined: Callable[..., FileLocks]
) -> None:
    claims = ClaimFiles(str(tmp_path))
    assert claims.take(batch_choice.KEY, node="theirs", run="their-run")
    (marker,) = (tmp_path / "claims").glob("*.lock")
    closing.words[marker.name] = errno.EACCES
    assert joined("me").others() == ()


def test_lease_that_is_over_and_may_not_be_moved_keeps_nobody_from_joining(
    tmp_path: Path,
    joined: Callable[..., FileLocks],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = msgspec.structs.replace(this_machine(), pid=2**22 + 5, started="1")
    assert LeaseFiles(str(tmp_path)).create(lease_of("theirs", machine=dead))
    rename = os.rename

    def closed(source: str, target: str) -> None:
        if "nodes/theirs" in source:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        rename(source, target)

    monkeypatch.setattr(os, "rename", closed)
    assert joined("me").over() == []
