"""How the share on folders renames without replacing, with and without the call for it."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from stages import LocalStage, outbox, refused, refusing, state

from paxect_batch.model.places import Place, Root
from paxect_batch.world import renames, tree_descriptors
from paxect_batch.world.share import LocalShare
from paxect_batch.world.tree_descriptors import DescriptorTree
from paxect_batch.world.tree_paths import PathTree


def with_call(monkeypatch: pytest.MonkeyPatch, number: int | None) -> None:
    call = None if number is None else lambda *_args: number
    monkeypatch.setattr(renames, "_system_call", lambda: call)


def check_moves(stage: LocalStage, move: Callable[[Place, Place], None]) -> None:
    """Check that a file is moved to a name that is free, and to none that is taken."""
    stage.put(state("one"), b"one")
    stage.put(outbox("taken"), b"old")
    with pytest.raises(FileExistsError):
        move(state("one"), outbox("taken"))
    assert stage.get(state("one")) == b"one"
    move(state("one"), outbox("free"))
    assert stage.get(outbox("free")) == b"one"
    assert stage.get(state("one")) is None
    assert stage.get(outbox("taken")) == b"old"


@pytest.mark.parametrize("number", [None, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_rename_where_the_call_is_missing_looks_and_renames(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    with_call(monkeypatch, number)
    check_moves(descriptors, descriptors.share.rename_new)


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file system be one of this machine."""
    monkeypatch.setattr(tree_descriptors, "is_local", lambda _fd: False)


def test_move_where_a_rename_may_replace_is_a_link(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_call(monkeypatch, errno.EINVAL)
    elsewhere(monkeypatch)
    descriptors.put(state("one"), b"one")
    descriptors.share.make_folder(outbox(""))
    link = os.link

    def raced(*args: object, **named: object) -> None:
        descriptors.put(outbox("taken"), b"of this instant")
        link(*args, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", raced)
        with pytest.raises(FileExistsError):
            descriptors.share.move_new(state("one"), outbox("taken"))
    assert descriptors.get(outbox("taken")) == b"of this instant"
    assert descriptors.get(state("one")) == b"one"
    descriptors.share.move_new(state("one"), outbox("free"))
    assert descriptors.get(outbox("free")) == b"one"
    assert descriptors.get(state("one")) is None


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_move_where_files_have_one_name_only_is_a_rename(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    elsewhere(monkeypatch)
    monkeypatch.setattr(os, "link", refusing(number))
    check_moves(descriptors, descriptors.share.move_new)


def test_move_passes_other_errors_on(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch)
    monkeypatch.setattr(os, "link", refusing(errno.EIO))
    descriptors.put(state("one"), b"one")
    with refused(errno.EIO):
        descriptors.share.move_new(state("one"), outbox("free"))
    assert descriptors.get(state("one")) == b"one"


def test_rename_passes_the_calls_error_on(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_call(monkeypatch, errno.EIO)
    descriptors.put(state("one"), b"one")
    with refused(errno.EIO):
        descriptors.share.rename_new(state("one"), outbox("new"))


def test_system_without_such_a_call_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renames.sys, "platform", "sunos")
    assert renames._system_call.__wrapped__() is None


def test_library_without_such_a_call_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # The name that macOS has, which Linux has not, and the other way round.
    other = "darwin" if renames.sys.platform == "linux" else "linux"
    monkeypatch.setattr(renames.sys, "platform", other)
    assert renames._system_call.__wrapped__() is None


def another_file_system(folder: Path) -> str | None:
    """Return a folder that a file of this one cannot be renamed into, if there is one."""
    device = os.stat(folder).st_dev
    for path in ("/dev/shm", "/var/tmp", os.getcwd()):
        writable = os.path.isdir(path) and os.access(path, os.W_OK)
        if writable and os.stat(path).st_dev != device:
            return path
    return None


@pytest.mark.parametrize("tree", [DescriptorTree, PathTree])
def test_roots_on_two_file_systems_are_not_together(
    tmp_path: Path, tree: type[DescriptorTree | PathTree]
) -> None:
    elsewhere = another_file_system(tmp_path)
    if elsewhere is None:
        pytest.skip("no second file system here")
    stage = LocalStage(tmp_path, tree)
    with tempfile.TemporaryDirectory(dir=elsewhere) as other:
        roots = {**stage.roots, Root.OUTBOX: os.fsencode(other)}
        share = LocalShare(roots, tree=tree(roots))
        assert not share.together(Root.STATE, Root.OUTBOX)
        assert share.together(Root.STATE, Root.WIRE)
        stage.put(state("file"), b"data")
        with refused(errno.EXDEV):
            share.rename_new(state("file"), outbox("file"))
        assert os.listdir(other) == []
        assert stage.get(state("file")) == b"data"


def test_together_passes_other_errors_on(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_call(monkeypatch, errno.EIO)
    with refused(errno.EIO):
        descriptors.share.together(Root.STATE, Root.OUTBOX)
    assert os.listdir(descriptors.roots[Root.STATE]) == []
