"""The shares that pass the contract, each with a hand that acts from outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from fakes.share import MemoryShare

from paxect_batch.model.items import Facts
from paxect_batch.model.places import Place, Root, to_bytes
from paxect_batch.world.share import LocalShare
from paxect_batch.world.tree_descriptors import DescriptorTree
from paxect_batch.world.tree_paths import PathTree


def inbox(path: str) -> Place:
    return Place(Root.INBOX, path)


def outbox(path: str) -> Place:
    return Place(Root.OUTBOX, path)


def state(path: str) -> Place:
    return Place(Root.STATE, path)


@contextmanager
def refused(number: int) -> Iterator[None]:
    """Expect an error of the system of that number."""
    with pytest.raises(OSError) as caught:  # noqa: PT011  its number is looked at
        yield
    assert caught.value.errno == number


def refusing(number: int) -> Callable[..., None]:
    """Return a call that the system refuses with that number."""

    def refuse(*_args: object, **_named: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


class LocalStage:
    """A share on folders, by one of the two trees."""

    def __init__(
        self,
        folder: Path,
        tree: Callable[[dict[Root, bytes]], DescriptorTree | PathTree],
    ) -> None:
        self.roots = {root: os.fsencode(folder / root) for root in Root}
        for path in self.roots.values():
            os.mkdir(path)
        self.share = LocalShare(self.roots, tree=tree(self.roots))

    def path(self, place: Place) -> bytes:
        parts = to_bytes(place.path)
        return (
            os.path.join(self.roots[place.root], parts)
            if parts
            else self.roots[place.root]
        )

    def put(self, place: Place, data: bytes) -> None:
        path = self.path(place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)

    def get(self, place: Place) -> bytes | None:
        try:
            with open(self.path(place), "rb") as stream:
                return stream.read()
        except OSError:
            return None

    def put_link(self, place: Place) -> None:
        os.makedirs(os.path.dirname(self.path(place)), exist_ok=True)
        os.symlink(b"/etc", self.path(place))

    def put_other(self, place: Place) -> None:
        os.mkfifo(self.path(place))

    def open_to_write(self, place: Place) -> IO[bytes]:
        return open(self.path(place), "r+b", buffering=0)


class MemoryStage:
    """The fake, whose share has the hand itself."""

    def __init__(self) -> None:
        self.share = MemoryShare()
        self.put = self.share.put
        self.get = self.share.get
        self.put_link = self.share.put_link
        self.put_other = self.share.put_other
        self.open_to_write = self.share.open_to_write


Stage = LocalStage | MemoryStage


def wary(roots: dict[Root, bytes]) -> DescriptorTree:
    """Make a tree that looks at each name on the way each time."""
    return DescriptorTree(roots, trust_seconds=0)


TREES = {"descriptors": DescriptorTree, "wary": wary, "paths": PathTree}


EVERY = ("memory", "descriptors", "paths")
"""The shares that keep the contract: the fake, and the real one by both trees."""


def make_stage(kind: str, folder: Path) -> Stage:
    if kind == "memory":
        return MemoryStage()
    return LocalStage(folder, TREES[kind])


def facts(stage: Stage, place: Place, *, closely: bool = False) -> Facts:
    found = stage.share.look(place, closely=closely)
    assert found is not None
    return found
