"""Errors of a share tell of places as text, not of what the system was asked for."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from stages import LocalStage, inbox, outbox, refusing

from paxect_batch.model.places import Place, Root
from paxect_batch.world import renames
from paxect_batch.world.tree import CREATE, READ

FILE = inbox("d/a.txt")
OTHER = outbox("d/other.txt")

CALLS: dict[str, Callable[[LocalStage, Place], object]] = {
    "open": lambda stage, place: stage.share._tree.open(place, READ),
    "create": lambda stage, place: stage.share._tree.open(place.child("x"), CREATE),
    "stat": lambda stage, place: stage.share._tree.stat(place),
    "look": lambda stage, place: stage.share._tree.look(place),
    "scan": lambda stage, place: list(stage.share._tree.scan(place)),
    "make": lambda stage, place: stage.share._tree.make(place.child("x")),
    "remove": lambda stage, place: stage.share._tree.remove(place),
    "remove_folder": lambda stage, place: stage.share._tree.remove_folder(place),
    "sync_folder": lambda stage, place: stage.share._tree.sync_folder(place),
}


@pytest.mark.parametrize("name", CALLS)
def test_error_tells_of_the_place_as_text(stage: LocalStage, name: str) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        CALLS[name](stage, FILE)
    told = FILE.child("x") if name in ("create", "make") else FILE
    assert (caught.value.filename, caught.value.filename2) == (str(told), None)


@pytest.mark.parametrize("name", ["replace", "rename_new", "move_new"])
def test_error_of_a_move_tells_of_both_places(stage: LocalStage, name: str) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        getattr(stage.share._tree, name)(FILE, OTHER)
    told = caught.value.filename, caught.value.filename2
    assert told == (str(FILE), str(OTHER))


@pytest.mark.parametrize("number", [None, errno.EINVAL, errno.EEXIST])
def test_error_of_a_taken_name_tells_of_both_places(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    call = None if number is None else lambda *_args: number
    monkeypatch.setattr(renames, "_system_call", lambda: call)
    stage.put(FILE, b"one")
    stage.put(OTHER, b"other")
    with pytest.raises(FileExistsError) as caught:
        stage.share.rename_new(FILE, OTHER)
    told = caught.value.filename, caught.value.filename2
    assert told == (str(FILE), str(OTHER))


def test_refused_file_is_told_by_the_way_to_it(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.put(OTHER, b"")
    done, refuse = os.open, refusing(errno.EROFS)

    def read_only(path: bytes, flags: int, *args: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            refuse()
        return done(path, flags, *args, **named)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(OSError, match="outbox/d/new") as caught:
        stage.share.create(outbox("d/new"))
    assert caught.value.errno == errno.EROFS


def test_name_that_is_no_text_is_told_as_it_is_written_down(stage: LocalStage) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        stage.share.open_source(inbox("new\\x0aline"))
    assert caught.value.filename == "inbox/new\\x0aline"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no stale handles")
def test_what_stays_stale_is_told_as_a_place_too(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptors.put(FILE, b"one")
    monkeypatch.setattr(os, "unlink", refusing(errno.ESTALE))
    with pytest.raises(FileNotFoundError) as caught:
        descriptors.share._tree.remove(FILE)
    assert caught.value.filename == str(FILE)


def test_root_that_is_gone_is_told_by_its_path(descriptors: LocalStage) -> None:
    path = descriptors.roots[Root.OUTBOX]
    shutil.rmtree(path)
    with pytest.raises(FileNotFoundError) as caught:
        descriptors.share.sync_folder(outbox("d"))
    assert caught.value.filename == os.fsdecode(path)
    with pytest.raises(FileNotFoundError) as caught:
        descriptors.share.free_bytes(Root.OUTBOX)
    assert caught.value.filename == os.fsdecode(path)
