"""No call leaves a descriptor open: a run that watches makes them for years."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from lease_samples import end, lease_of
from stages import LocalStage, inbox, refusing, state

from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.leases import LeaseFiles

TIMES = 20

pytestmark = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="only /proc tells what is open"
)


def left_open(call: Callable[[int], object]) -> int:
    """Return how many descriptors more are open after some calls than after the first.

    The first opens what is kept.  What earlier tests left to the collector goes before,
    and what goes meanwhile all the same hides no call that leaves one open each time.
    """

    def tried(number: int) -> int:
        with contextlib.suppress(OSError):
            call(number)
        return len(os.listdir("/proc/self/fd"))

    gc.collect()
    before = tried(0)
    return max(0, [tried(number) for number in range(1, TIMES)][-1] - before)


def drained(entries: object) -> None:
    for _ in entries:  # type: ignore[attr-defined]
        pass


CALLS: dict[str, Callable[[LocalStage, int], object]] = {
    "list": lambda stage, _: drained(stage.share.entries(inbox(""))),
    "list what is gone": lambda stage, _: drained(stage.share.entries(inbox("none"))),
    "look": lambda stage, _: stage.share.look(inbox("file")),
    "look closely": lambda stage, _: stage.share.look(inbox("file"), closely=True),
    "look at a folder": lambda stage, _: stage.share.look(inbox("sub"), closely=True),
    "open a folder": lambda stage, _: stage.share.open_source(inbox("sub")),
    "open a fifo": lambda stage, _: stage.share.open_source(inbox("fifo")),
    "open what is gone": lambda stage, _: stage.share.open_source(inbox("none")),
    "freshen": lambda stage, _: stage.share.freshen(inbox("sub")),
    "sync a folder": lambda stage, _: stage.share.sync_folder(inbox("sub")),
    "sync many folders": lambda stage, _: stage.share.sync_folders([inbox("sub")] * 9),
    "sync one that is gone": lambda stage, _: stage.share.sync_folders(
        [inbox("sub"), inbox("none")] * 9
    ),
    "write": lambda stage, _: stage.share.write(state("papers/one"), b"data"),
    "read": lambda stage, _: stage.share.read(inbox("file"), 10),
    "make a folder": lambda stage, n: stage.share.make_folder(inbox(f"new{n}")),
    "ask what can go": lambda stage, _: stage.share.removal(inbox("sub")),
    "ask for room": lambda stage, _: stage.share.free_bytes(inbox("").root),
    "ask for the time": lambda stage, _: stage.share.now(),
    "remove": lambda stage, _: stage.share.remove(inbox("none")),
}


@pytest.mark.parametrize("name", CALLS)
def test_share_leaves_none_open(stage: LocalStage, name: str) -> None:
    stage.put(inbox("file"), b"data")
    stage.put(inbox("sub/file"), b"data")
    stage.put_other(inbox("fifo"))
    assert left_open(lambda number: CALLS[name](stage, number)) == 0


def test_share_leaves_none_open_where_a_folder_cannot_be_listed(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = descriptors
    stage.put(inbox("sub/file"), b"data")
    monkeypatch.setattr(os, "scandir", refusing(errno.EACCES))
    assert left_open(lambda _: drained(stage.share.entries(inbox("sub")))) == 0


def test_claims_leave_none_open(tmp_path: Path) -> None:
    def call(number: int) -> None:
        claims = ClaimFiles(str(tmp_path))
        assert claims.take("item", node="n", run=f"r{number}")
        assert not ClaimFiles(str(tmp_path)).take("item", node="m", run="another")
        claims.give_back("item", run=f"r{number}")
        claims.sweep(lambda: {"another"}, 1.0)

    assert left_open(call) == 0


def test_leases_leave_none_open(tmp_path: Path) -> None:
    files = LeaseFiles(str(tmp_path))

    def call(number: int) -> None:
        lease = lease_of(f"node{number}")
        assert files.create(lease)
        files.beat(msgspec.structs.replace(lease, beat=1), beats=[0])
        end(files, lease.node, "rescuer")
        drained(files.over())

    assert left_open(call) == 0
