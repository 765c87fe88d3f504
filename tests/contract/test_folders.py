"""Folders are made, and are durable by every name that leads to them."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from paxect_batch.model.places import Place, Root
from paxect_batch.world.folders import Folders

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
