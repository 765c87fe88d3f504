"""What the share on folders does when the system refuses, in the middle or for ever."""

from __future__ import annotations

import errno
import math
import os
import time
from typing import Any

import pytest
from file_sizes import file_size_limit
from stages import LocalStage, inbox, refused, refusing, state

from paxect_batch.model.places import Place, Root
from paxect_batch.world.tree import TEMP_PREFIX

has_stale_handles = pytest.mark.skipif(
    os.name != "posix", reason="Windows has no stale handles"
)


def test_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    stage: LocalStage,
) -> None:
    stage.share.write(state("file"), b"old")
    with file_size_limit(1000), refused(errno.EFBIG):
        stage.share.write(state("file"), b"new" * 1000)
    assert stage.get(state("file")) == b"old"
    assert os.listdir(stage.roots[Root.STATE]) == [b"file"]


def test_write_waits_for_readers_that_keep_the_name_for_a_moment(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    replace = os.replace
    refusals = [PermissionError(errno.EACCES, "in use")] * 3

    def busy(*args: Any, **more: Any) -> None:
        if refusals:
            raise refusals.pop()
        replace(*args, **more)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(time, "sleep", waits.append)
    stage.share.write(state("file"), b"new")
    assert stage.get(state("file")) == b"new"
    assert len(waits) == 3


def test_write_gives_up_when_the_name_stays_in_use(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", refusing(errno.EACCES))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with refused(errno.EACCES):
        stage.share.write(state("file"), b"new")
    assert os.listdir(stage.roots[Root.STATE]) == []


def test_write_whose_temporary_file_cannot_be_dropped_tells_the_first_error(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "unlink", refusing(errno.EROFS))
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    with refused(errno.EIO):
        stage.share.write(state("file"), b"new")
    (left,) = os.listdir(stage.roots[Root.STATE])
    assert left.startswith(TEMP_PREFIX.encode())
    assert left.endswith(b".tmp")


def test_folder_that_cannot_be_synced_is_fine_but_a_broken_one_is_not(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [errno.EIO, errno.ENOTSUP, errno.EINVAL]

    def sync(_fd: int) -> None:
        raise OSError(numbers.pop(), "sync")

    monkeypatch.setattr(os, "fsync", sync)
    descriptors.share.sync_folder(state(""))
    descriptors.share.sync_folder(state(""))
    with refused(errno.EIO):
        descriptors.share.sync_folder(state(""))


def test_sync_folder_of_a_file_is_refused(stage: LocalStage) -> None:
    stage.put(state("file"), b"")
    with refused(errno.ENOTDIR):
        stage.share.sync_folder(state("file"))


def test_folder_made_by_another_meanwhile_is_fine(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = stage.share._tree
    make = tree.make

    def raced(folder: Place) -> None:
        make(folder)
        make(folder)

    monkeypatch.setattr(tree, "make", raced)
    stage.share.make_folder(state("a"))
    assert os.path.isdir(stage.path(state("a")))


def turn_stale(
    monkeypatch: pytest.MonkeyPatch, call: str, *, times: float = math.inf
) -> None:
    """Let a call for the file, or an open folder, answer so often as NFS if it is gone."""
    done, left = getattr(os, call), [times]

    def stale(what: Any, **more: Any) -> Any:
        if left[0] and (what in ("file", b"file") or isinstance(what, int)):
            left[0] -= 1
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return done(what, **more)

    monkeypatch.setattr(os, call, stale)


@has_stale_handles
@pytest.mark.parametrize("stage", ["wary"], indirect=True)
def test_folder_that_another_client_removed_and_made_anew_is_found_again(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What NFS answers for the old one, as long as a client holds on to it."""
    stage.put(inbox("a/file"), b"data")
    assert stage.share.look(inbox("a/file")) is not None
    turn_stale(monkeypatch, "stat", times=1)
    assert stage.share.look(inbox("a/file")) is not None


@has_stale_handles
@pytest.mark.parametrize("stage", ["wary"], indirect=True)
def test_file_that_stays_stale_on_a_share_that_is_there_is_gone(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.put(inbox("a/file"), b"data")
    turn_stale(monkeypatch, "stat")
    assert stage.share.look(inbox("a/file")) is None


@has_stale_handles
@pytest.mark.parametrize("stage", ["wary"], indirect=True)
@pytest.mark.parametrize("times", [1, 1000])
def test_folder_that_turns_stale_before_it_is_listed_is_looked_for_once_more(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    stage.put(inbox("a/file"), b"data")
    turn_stale(monkeypatch, "scandir", times=times)
    found = [entry.place.name for entry in stage.share.entries(inbox("a"))]
    assert found == (["file"] if times == 1 else [])


def test_freshen_leaves_nothing_where_the_answer_to_its_change_was_lost(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = os.open

    def unanswered(path: Any, flags: int, *more: Any, **named: Any) -> int:
        opened = made(path, flags, *more, **named)
        if flags & os.O_CREAT:
            os.close(opened)
            raise OSError(errno.EIO, "no answer")
        return opened

    monkeypatch.setattr(os, "open", unanswered)
    with refused(errno.EIO):
        stage.share.freshen(inbox(""))
    assert os.listdir(stage.roots[Root.INBOX]) == []


@pytest.mark.parametrize("operation", ["freshen", "entries", "remove", "read", "look"])
def test_error_of_the_system_passes_unchanged(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    stage.put(inbox("file"), b"data")

    for name in ("open", "unlink", "scandir", "stat", "lstat"):
        monkeypatch.setattr(os, name, refusing(errno.ESTALE))
    act = {
        "freshen": lambda: stage.share.freshen(inbox("")),
        "entries": lambda: list(stage.share.entries(inbox(""))),
        "remove": lambda: stage.share.remove(inbox("file")),
        "read": lambda: stage.share.read(inbox("file"), 10),
        "look": lambda: stage.share.look(inbox("file")),
    }[operation]
    with refused(errno.ESTALE):
        act()


def test_remove_folder_passes_other_errors_on(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "rmdir", refusing(errno.EROFS))
    with refused(errno.EROFS):
        stage.share.remove_folder(inbox("folder"))


def test_size_of_what_may_not_be_looked_at_is_not_known(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder that may be listed, and not be entered."""
    stage.put(inbox("file"), b"data")
    assert stage.share.size_of(inbox("file")) == 4
    monkeypatch.setattr(os, "stat", refusing(errno.EACCES))
    monkeypatch.setattr(os, "lstat", refusing(errno.EACCES))
    assert stage.share.size_of(inbox("file")) == 0
