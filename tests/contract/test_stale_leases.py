"""An NFS client that says ESTALE knows nothing; least of all that nobody is there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lease_samples import lease_of
from stages import refused

from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.fresh import freshen
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks


def stale(monkeypatch: pytest.MonkeyPatch, name: str, path: Path, times: int) -> None:
    """Have a call of the system on a path fail so many times."""
    real = getattr(os, name)
    left = [errno.ESTALE] * times

    def call(given: Any, *args: Any, **named: Any) -> Any:
        if left and str(given).startswith(str(path)):
            raise OSError(left.pop(), os.strerror(errno.ESTALE))
        return real(given, *args, **named)

    monkeypatch.setattr(os, name, call)


@pytest.fixture
def leases(tmp_path: Path) -> LeaseFiles:
    leases = LeaseFiles(str(tmp_path))
    assert leases.create(lease_of("node1"))
    return leases


CALLS = [
    ("listdir", lambda leases, folder: leases.nodes()),
    ("open", lambda leases, folder: leases.read("node1")),
    ("open", lambda leases, folder: freshen(str(folder))),
]


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_call_that_meets_it_once_is_made_anew(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leases: LeaseFiles,
    name: str,
    call: Callable[[LeaseFiles, Path], object],
) -> None:
    nodes = tmp_path / "nodes"
    told = call(leases, nodes)
    stale(monkeypatch, name, nodes, 1)
    assert call(leases, nodes) == told
    assert os.listdir(nodes) == ["node1"]


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_call_that_meets_it_again_tells_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leases: LeaseFiles,
    name: str,
    call: Callable[[LeaseFiles, Path], object],
) -> None:
    # One that only makes the client look may fail; what is asked then may not.
    stale(monkeypatch, name, tmp_path / "nodes", 9)
    with refused(errno.ESTALE):
        call(leases, tmp_path / "nodes")


@pytest.mark.parametrize("name", ["listdir", "open"])
def test_node_that_leaves_takes_no_claim_from_one_that_it_cannot_see(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    joined: Callable[..., FileLocks],
    name: str,
) -> None:
    one, two = joined("node1"), joined("node2")
    assert one.claim("item") is not None
    stale(monkeypatch, name, tmp_path / "nodes", 99)
    two.leave()
    monkeypatch.undo()
    assert ClaimFiles(str(tmp_path)).owner("item") is not None
