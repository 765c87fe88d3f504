"""Leases as papers: which of them count, and what is durable once they changed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from lease_samples import end, lease_of

from paxect_batch.model.leases import Over
from paxect_batch.world import leases as leases_module
from paxect_batch.world.leases import LeaseFiles, LeaseGone, parse


class Noting:
    """`os` that notes what is synced, renamed and removed, in order."""

    def __init__(self, top: Path) -> None:
        self.done: list[tuple[str, str]] = []
        self._top = top

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def fsync(self, fd: int) -> None:
        os.fsync(fd)
        self._note("sync", os.readlink(f"/proc/self/fd/{fd}"))

    def rename(self, path: str, new: str) -> None:
        os.rename(path, new)
        self._note("rename", path)

    def unlink(self, path: str) -> None:
        os.unlink(path)
        self._note("remove", path)

    def _note(self, act: str, path: str) -> None:
        self.done.append((act, os.path.relpath(path, self._top)))


@pytest.fixture
def noting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noting:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("only /proc tells what a descriptor is of")
    noting = Noting(tmp_path)
    monkeypatch.setattr(leases_module, "os", noting)
    return noting


def test_lease_is_durable_with_its_folders_once_it_is_had(
    tmp_path: Path, noting: Noting
) -> None:
    """Lost with the power, it would leave promises that nobody is known to have made."""
    assert LeaseFiles(str(tmp_path)).create(lease_of("node1"))
    synced = [path for act, path in noting.done if act == "sync"]
    assert synced == ["nodes/node1/lease", "nodes/node1", "nodes", "."]


def test_end_of_a_lease_is_durable_where_it_went_before_where_it_was(
    tmp_path: Path, noting: Noting
) -> None:
    """So that the run is known in one of the two, whenever power fails."""
    files = LeaseFiles(str(tmp_path))
    assert files.create(lease_of("node1"))
    noting.done.clear()
    end(files, "node1", "rescuer")
    assert noting.done == [
        ("rename", "nodes/node1/lease"),
        ("sync", "over"),
        ("sync", "nodes/node1"),
    ]


def test_lease_that_beat_since_it_was_judged_leaves_no_paper_of_an_end(
    tmp_path: Path,
) -> None:
    files = LeaseFiles(str(tmp_path))
    lease = lease_of("node1")
    assert files.create(lease)
    judged = files.read("node1")
    assert judged is not None
    files.beat(msgspec.structs.replace(lease, beat=1), beats=[0])
    assert files.end("node1", judged, "rescuer") is None
    assert list((tmp_path / "over").iterdir()) == []
    assert parse(files.read("node1") or b"") is not None


def test_beat_into_a_lease_that_goes_at_that_instant_finds_it_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = LeaseFiles(str(tmp_path))
    lease = lease_of("node1")
    assert files.create(lease)
    look = files.look

    def looked(*args: object, **named: object) -> None:
        look(*args, **named)  # type: ignore[arg-type]
        end(files, "node1", "rescuer")

    monkeypatch.setattr(files, "look", looked)
    with pytest.raises(LeaseGone):
        files.beat(msgspec.structs.replace(lease, beat=1), beats=[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"node": "../node2"},
        {"node": ""},
        {"run": "a/run"},
        {"run": "r" * 10_000},
        {"batch": "../batch"},
        {"seconds": 0.0},
        {"seconds": -1.0},
        {"seconds": 1e9},
        {"beat": -1},
        {"beat": 1 << 63},
    ],
)
def test_paper_that_no_relay_writes_is_no_lease(changes: dict[str, object]) -> None:
    assert parse(msgspec.json.encode(lease_of("node1"))) is not None
    forged = msgspec.structs.replace(lease_of("node1"), **changes)
    assert parse(msgspec.json.encode(forged)) is None


def test_lease_without_a_batch_is_one(tmp_path: Path) -> None:
    """Its run is a batch of its own."""
    files = LeaseFiles(str(tmp_path))
    assert files.create(msgspec.structs.replace(lease_of("node1"), batch=""))
    end(files, "node1", "rescuer")
    ((over, rescuer),) = files.over()
    assert (over, rescuer) == (Over("node1", "run-of-node1"), "rescuer")


def test_promises_of_a_name_that_no_run_has_are_nobodys(tmp_path: Path) -> None:
    """The paper of its end would have a name that is too long for any folder."""
    files = LeaseFiles(str(tmp_path))
    own = lease_of("me")
    assert files.create(own)
    for name in ("r" * 250, "run-of-theirs"):
        (tmp_path / "intents" / "theirs" / name).mkdir(parents=True)
    assert [over.run for over in files.orphans("theirs", own)] == ["run-of-theirs"]
