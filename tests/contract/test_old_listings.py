"""Locks on a mount whose listings stay old until it changes the folder itself."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from lease_samples import lease_of

from paxect_batch.model.leases import Lease, Over
from paxect_batch.seams import Applicant
from paxect_batch.world import claims as claims_module
from paxect_batch.world import fresh as fresh_module
from paxect_batch.world import leases as leases_module
from paxect_batch.world.batch_choice import KEY, join_batch
from paxect_batch.world.claim_owners import owner_line
from paxect_batch.world.claims import ClaimFiles, marker_name
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.machine import this_machine


class Remembering:
    """`os` of a client that lists a folder once, and then when it changed it."""

    def __init__(self) -> None:
        self._listed: dict[str, list[str]] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def listdir(self, path: str) -> list[str]:
        if path not in self._listed:
            self._listed[path] = os.listdir(path)
        return self._listed[path]

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            self._forget(path)
        return os.open(path, flags, mode)

    def unlink(self, path: str) -> None:
        self._forget(path)
        os.unlink(path)

    def rename(self, source: str, target: str) -> None:
        self._forget(source)
        self._forget(target)
        os.rename(source, target)

    def makedirs(self, path: str, *, exist_ok: bool) -> None:
        if not os.path.isdir(path):
            self._forget(path)
            self._forget(os.path.dirname(path))
        os.makedirs(path, exist_ok=exist_ok)

    def _forget(self, path: str) -> None:
        self._listed.pop(os.path.dirname(path), None)


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A share on such a mount; what a test writes there is another client's."""
    (tmp_path / "claims").mkdir()
    system = Remembering()
    for module in (claims_module, leases_module, fresh_module):
        monkeypatch.setattr(module, "os", system)
    return tmp_path


def add_claim(share: Path, key: str, *, node: str, run: str) -> Path:
    path = share / "claims" / marker_name(key)
    path.write_bytes(owner_line(node, run))
    return path


def add_node(share: Path, node: str, *, batch: str) -> Path:
    path = share / "nodes" / node / "lease"
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(lease_of(node, batch=batch)))
    return path


def joined(share: Path, node: str = "node1") -> FileLocks:
    locks = FileLocks(str(share), lease_seconds=60.0)
    locks.join(Applicant(node=node, run=f"run-of-{node}"))
    assert not locks.seems_taken("anything"), "to have the claims listed"
    return locks


def test_claims_that_a_dead_run_made_last_go_when_it_is_buried(share: Path) -> None:
    """All who wait for their items would do so for ever."""
    locks = joined(share)
    claim = add_claim(share, "item", node="dead", run="gone")
    locks.bury(Over("dead", "gone"))
    assert not claim.exists()
    locks.leave()


def test_claims_of_a_node_that_just_came_stay_when_others_are_swept(
    share: Path,
) -> None:
    locks = joined(share)
    add_node(share, "node2", batch="run-of-node1")
    claim = add_claim(share, "item", node="node2", run="run-of-node2")
    assert locks.claim("another") is not None, "to have claims listed anew"
    locks.bury(Over("dead", "gone"))
    assert claim.exists()
    locks.leave()
    assert claim.exists()


def test_run_that_leaves_sees_who_joined_its_batch_a_moment_ago(share: Path) -> None:
    locks = joined(share)
    add_node(share, "node2", batch="run-of-node1")
    assert not locks.leave()


def test_batch_that_was_begun_a_moment_ago_is_joined(share: Path) -> None:
    files, claims = LeaseFiles(str(share)), ClaimFiles(str(share))
    own = Lease(
        node="node1",
        run="run-of-node1",
        batch="",
        machine=this_machine(),
        seconds=60.0,
        since="",
    )
    assert files.create(own)
    keeper = Keeper(files, own)
    keeper.look_around()
    begins = add_claim(share, KEY, node="node2", run="run-of-node2")

    def wait() -> float:
        add_node(share, "node2", batch="run-of-node2")
        begins.unlink()
        return 0.0

    assert join_batch(keeper, files, claims, wait=wait) == "run-of-node2"
