"""Probes of a share: what they leave behind, also when several probe at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paxect_batch.model.places import Root
from paxect_batch.rules.naming import is_momentary
from paxect_batch.world.share import LocalShare
from paxect_batch.world.tree import temp_name


def _roots(folder: Path) -> dict[Root, str]:
    roots = {root: str(folder / root.value) for root in Root}
    for path in roots.values():
        os.mkdir(path)
    return roots


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


def test_names_of_a_moment_are_told_by_the_rules() -> None:
    assert is_momentary(temp_name())
