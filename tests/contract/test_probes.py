"""Probes of a share: what they leave behind, also when several probe at once."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paxect_batch.model.places import Place, Root
from paxect_batch.rules.naming import is_momentary
from paxect_batch.world import root_traits
from paxect_batch.world.share import LocalShare
from paxect_batch.world.tree import temp_name
from paxect_batch.world.tree_descriptors import DescriptorTree


def _roots(folder: Path) -> dict[Root, str]:
    roots = {root: str(folder / root.value) for root in Root}
    for path in roots.values():
        os.mkdir(path)
    return roots


def _bytes(roots: dict[Root, str]) -> dict[Root, bytes]:
    return {root: os.fsencode(path) for root, path in roots.items()}


def _left(roots: dict[Root, str]) -> list[str]:
    return [name for path in roots.values() for name in os.listdir(path)]


def test_probes_of_many_at_once_agree_and_leave_nothing(tmp_path: Path) -> None:
    roots = _roots(tmp_path)

    def probe(_: int) -> tuple[bool, bool]:
        share = LocalShare(roots)
        return share.together(Root.STATE, Root.OUTBOX), share.folds_names(Root.OUTBOX)

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(probe, range(200)))
    assert len(found) == 1
    assert found.pop()[0]
    assert _left(roots) == []


def test_probes_that_were_made_are_not_made_again(tmp_path: Path) -> None:
    roots = _roots(tmp_path)
    share = LocalShare(roots)
    first = share.together(Root.STATE, Root.WIRE), share.folds_names(Root.WIRE)
    os.rmdir(roots[Root.WIRE])
    again = share.together(Root.WIRE, Root.STATE), share.folds_names(Root.WIRE)
    assert again == first


def test_probe_where_no_root_is_tells_so(tmp_path: Path) -> None:
    roots = _roots(tmp_path)
    os.rmdir(roots[Root.OUTBOX])
    with pytest.raises(FileNotFoundError):
        LocalShare(roots).folds_names(Root.OUTBOX)


class PendingTree(DescriptorTree):
    """One on an SMB server on which a folder was removed that a dead client listed."""

    def make(self, folder: Place) -> None:
        if _is_pending(folder):
            raise FileExistsError(errno.EEXIST, "File exists", str(folder))
        super().make(folder)

    def stat(self, place: Place) -> os.stat_result:
        self._refuse(place)
        return super().stat(place)

    def open(self, place: Place, flags: int) -> int:
        self._refuse(place)
        return super().open(place, flags)

    def _refuse(self, place: Place) -> None:
        if _is_pending(place):
            raise FileNotFoundError(errno.ENOENT, "No such file", str(place))


def _is_pending(place: Place) -> bool:
    return place.path.split("/")[0] == root_traits.FOLDER


def test_probes_do_without_their_folder_where_it_is_neither_there_nor_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run ended, on all nodes, until the server noticed that a client was dead."""
    monkeypatch.setattr(root_traits, "_PAUSE_SECONDS", 0.0)
    roots = _roots(tmp_path)
    sound = LocalShare(roots)
    share = LocalShare(roots, tree=PendingTree(_bytes(roots)))
    assert share.folds_names(Root.OUTBOX) is sound.folds_names(Root.OUTBOX)
    assert share.together(Root.WIRE, Root.OUTBOX)
    assert _left(roots) == []


def test_names_of_a_moment_are_told_by_the_rules() -> None:
    assert is_momentary(temp_name())
