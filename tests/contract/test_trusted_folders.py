"""For how long a tree believes that a folder is where it found it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from stages import LocalStage, inbox, outbox, refused

from paxect_batch.world import tree_descriptors
from paxect_batch.world.tree_descriptors import TRUST_SECONDS, DescriptorTree


class Hands:
    """A monotonic clock that goes as it is told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(tree_descriptors, "time", made)
    return made


@pytest.fixture
def stage(tmp_path: Path, hands: Hands) -> LocalStage:
    del hands
    return LocalStage(tmp_path, DescriptorTree)


def test_folder_that_moved_out_of_the_share_is_acted_on_no_longer_than_it_is_trusted(
    stage: LocalStage, hands: Hands, tmp_path: Path
) -> None:
    stage.put(inbox("a/b/file"), b"")
    assert stage.share.look(inbox("a/b/file")) is not None
    os.rename(stage.path(inbox("a")), tmp_path / "away")
    hands.seconds += TRUST_SECONDS / 2
    assert stage.share.look(inbox("a/b/file")) is not None
    hands.seconds += TRUST_SECONDS / 2
    assert stage.share.look(inbox("a/b/file")) is None


def test_using_a_trusted_folder_does_not_make_it_trusted_for_longer(
    stage: LocalStage, hands: Hands, tmp_path: Path
) -> None:
    stage.put(inbox("a/file"), b"")
    assert stage.share.look(inbox("a/file")) is not None
    os.rename(stage.path(inbox("a")), tmp_path / "away")
    for _ in range(7):
        hands.seconds += TRUST_SECONDS / 8
        assert stage.share.look(inbox("a/file")) is not None
    hands.seconds += TRUST_SECONDS / 8
    assert stage.share.look(inbox("a/file")) is None


def test_name_that_is_missing_in_a_trusted_folder_is_looked_for_anew_at_once(
    stage: LocalStage,
) -> None:
    share = stage.share
    stage.put(inbox("a/file"), b"old")
    assert share.look(inbox("a/file")) is not None
    shutil.rmtree(stage.path(inbox("a")))
    assert share.look(inbox("a/file")) is None
    stage.put(inbox("a/file"), b"new!")
    assert share.read(inbox("a/file"), 10) == b"new!"
    shutil.rmtree(stage.path(inbox("a")))
    stage.put(inbox("a/other"), b"")
    share.create(inbox("a/new")).close()
    assert stage.get(inbox("a/new")) == b""
    shutil.rmtree(stage.path(inbox("a")))
    stage.put(inbox("a/file"), b"moves")
    share.rename_new(inbox("a/file"), outbox("file"))
    assert stage.get(outbox("file")) == b"moves"


def test_folder_that_a_file_replaced_is_told_at_once(stage: LocalStage) -> None:
    stage.put(inbox("a/file"), b"old")
    assert stage.share.look(inbox("a/file")) is not None
    shutil.rmtree(stage.path(inbox("a")))
    stage.put(inbox("a"), b"a file")
    with refused(errno.ENOTDIR):
        stage.share.create(inbox("a/new"))


def test_link_in_place_of_a_trusted_folder_leads_nowhere(
    stage: LocalStage, hands: Hands, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    stage.put(inbox("a/file"), b"ours")
    assert stage.share.look(inbox("a/file")) is not None
    os.rename(stage.path(inbox("a")), stage.path(inbox("a.old")))
    os.symlink(outside, stage.path(inbox("a")))
    stage.share.create(inbox("a/new")).close()
    assert stage.get(inbox("a.old/new")) == b""
    with refused(errno.ELOOP):
        stage.share.open_source(inbox("a/none"))
    hands.seconds += TRUST_SECONDS
    with refused(errno.ELOOP):
        stage.share.create(inbox("a/newer"))
    assert list(outside.iterdir()) == []
