"""Folders are made, and are durable by every name that leads to them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

import pytest

from paxect_batch.model.places import Place, Root
from paxect_batch.world.folders import Folders
from paxect_batch.world.syncing import TOGETHER_MIN

ROOT = Place(Root.OUTBOX, "")
DEEP = Place(Root.OUTBOX, "a/b/c")


class Told:
    """Folders in memory; `synced` are those whose entries were made durable."""

    def __init__(self, *paths: str) -> None:
        self.there = {"", *paths}
        self.synced: list[str] = []
        self.fails: dict[str, OSError] = {}

    def stat(self, place: Place) -> os.stat_result:
        if place.path not in self.there:
            raise FileNotFoundError(errno.ENOENT, "", place.path)
        return os.stat_result((stat.S_IFDIR, *[0] * 9))

    def make(self, folder: Place) -> None:
        self.stat(folder.folder)
        if folder.path in self.there:
            raise FileExistsError(errno.EEXIST, "", folder.path)
        self.there.add(folder.path)

    def remove_folder(self, folder: Place) -> None:
        self.stat(folder)
        self.there.remove(folder.path)

    def open_folder(self, folder: Place) -> int:
        raise OSError(errno.ENOTSUP, "", folder.path)

    def sync_folder(self, folder: Place) -> None:
        if folder.path in self.fails:
            raise self.fails.pop(folder.path)
        self.synced.append(folder.path)


def test_folders_that_somebody_else_made_are_made_durable_once() -> None:
    told = Told("a", "a/b", "a/b/c")
    folders = Folders(told)
    folders.sync(DEEP)
    assert sorted(told.synced) == ["", "a", "a/b", "a/b/c"]
    told.synced.clear()
    folders.sync(DEEP)
    folders.sync(DEEP.folder)
    assert told.synced == ["a/b/c", "a/b"]


def test_folder_whose_name_could_not_be_made_durable_is_tried_again() -> None:
    told = Told()
    told.fails["a"] = OSError(errno.EIO, "")
    folders = Folders(told)
    with pytest.raises(OSError, match="5"):
        folders.make(DEEP)
    folders.make(DEEP)
    folders.sync(DEEP)
    assert {"", "a", "a/b", "a/b/c"} == set(told.synced)


def test_folder_that_may_not_be_opened_above_keeps_nobody_from_those_below() -> None:
    told = Told("a", "a/b", "a/b/c")
    told.fails["a"] = PermissionError(errno.EACCES, "")
    Folders(told).sync(DEEP)
    assert set(told.synced) == {"", "a/b", "a/b/c"}
    told.fails["a/b/c"] = PermissionError(errno.EACCES, "")
    with pytest.raises(PermissionError):
        Folders(told).sync(DEEP)


def test_folder_that_was_removed_and_made_by_others_is_made_durable_anew() -> None:
    told = Told("a", "a/b", "a/b/c")
    folders = Folders(told)
    folders.sync(DEEP)
    assert folders.remove(DEEP)
    assert not folders.remove(DEEP)
    told.there.add(DEEP.path)
    told.synced.clear()
    folders.sync(DEEP)
    assert told.synced == ["a/b/c", "a/b"]


def test_root_is_never_made() -> None:
    told = Told()
    told.there.clear()
    with pytest.raises(FileNotFoundError):
        Folders(told).make(ROOT)
    with pytest.raises(FileNotFoundError):
        Folders(told).make(DEEP)
    assert told.there == set()


MANY = tuple(Place(Root.OUTBOX, f"a/{number}") for number in range(TOGETHER_MIN))


class Whole:
    """Makes durable what it is told of by one call, if it `can`."""

    def __init__(self, *, can: bool) -> None:
        self._can = can
        self.calls = 0

    def together(self, fds: Sequence[int]) -> bool:
        assert len(fds) == len(MANY)
        self.calls += 1
        return self._can


class Opened(Told):
    """Folders that can be opened."""

    def open_folder(self, folder: Place) -> int:
        self.stat(folder)
        return os.open(os.devnull, os.O_RDONLY)

    def sync_folder(self, folder: Place) -> None:
        self.stat(folder)
        super().sync_folder(folder)


def test_many_folders_and_their_names_are_made_durable_by_one_call() -> None:
    told, whole = Opened("a", *(folder.path for folder in MANY)), Whole(can=True)
    folders = Folders(told)
    assert folders.sync_all(MANY, whole) == (None,) * len(MANY)
    assert (whole.calls, told.synced) == (1, [])
    folders.sync(MANY[0])
    assert told.synced == [MANY[0].path], "its name was made durable before"


def test_folders_are_made_durable_one_by_one_where_one_call_does_not_do() -> None:
    told = Opened("a", *(folder.path for folder in MANY))
    told.fails[MANY[1].path] = OSError(errno.EIO, "")
    met = Folders(told).sync_all(MANY, Whole(can=False))
    assert [error is None for error in met] == [True, False, True, True]
    assert set(told.synced) == {"", "a", *(MANY[n].path for n in (0, 2, 3))}


def test_folder_that_is_gone_is_told_of_and_keeps_nobody_from_the_others() -> None:
    told, whole = Opened("a", *(folder.path for folder in MANY[1:])), Whole(can=True)
    met = Folders(told).sync_all(MANY, whole)
    assert whole.calls == 0
    assert isinstance(met[0], OSError)
    assert met[1:] == (None,) * (len(MANY) - 1)


def test_folders_that_are_prepared_are_there_and_their_names_durable() -> None:
    told = Opened()
    folders = Folders(told)
    folders.prepare(MANY, Whole(can=False))
    assert {folder.path for folder in MANY} < told.there
    assert {"", "a"} <= set(told.synced)
    told.synced.clear()
    folders.prepare(MANY, Whole(can=False))
    assert told.synced == []


def test_folder_that_cannot_be_prepared_is_left_to_who_needs_it() -> None:
    told = Opened()
    told.fails["a"] = OSError(errno.EIO, "")
    folders = Folders(told)
    folders.prepare((DEEP,), Whole(can=False))
    with pytest.raises(FileNotFoundError):
        folders.sync(DEEP.child("absent"))
    folders.sync(DEEP)
    assert {"", "a", "a/b", "a/b/c"} == set(told.synced)


def test_folder_that_is_prepared_and_that_another_made_is_durable_by_its_names() -> (
    None
):
    """Its maker may have died before that; what is renamed into it would be lost."""
    told = Opened("a", "a/b", "a/b/c")
    folders = Folders(told)
    folders.prepare((DEEP,), Whole(can=False))
    assert {"", "a", "a/b"} <= set(told.synced)
    told.synced.clear()
    folders.sync(DEEP)
    assert told.synced == ["a/b/c"]


def test_folder_that_another_makes_just_then_is_durable_by_its_names() -> None:
    told = Told("a", "a/b", "a/b/c")
    Folders(told).make(DEEP)
    assert sorted(told.synced) == ["", "a", "a/b"]


def test_file_where_a_folder_is_prepared_is_not_taken_for_one() -> None:
    class File(Opened):
        def stat(self, place: Place) -> os.stat_result:
            found = super().stat(place)
            is_it = place == DEEP
            return os.stat_result((stat.S_IFREG, *found[1:])) if is_it else found

    told = File("a", "a/b", "a/b/c")
    folders = Folders(told)
    folders.prepare((DEEP,), Whole(can=False))
    assert told.synced == []
    with pytest.raises(FileExistsError):
        folders.make(DEEP)
