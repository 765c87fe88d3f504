"""Sources that were kept, once the policy lets nothing be kept: they go, and only go."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from relay_bench import CHANGES, Bench, Crash, WatchedShare, files_below, policy_with

from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Removal
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone

KEEPS = policy_with(on_done=OnDone.KEEP)
ARCHIVES = policy_with(on_done=OnDone.ARCHIVE)
DELETES = policy_with()
NAMES = ("a.txt", "sub/b.txt")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for name in NAMES:
        bench.drop(name, name.encode())
    bench.drain(policy=KEEPS)
    bench.take_all()
    assert len(files_below(bench.inbox)) == 2
    assert len(files_below(bench.wire)) == 4
    return bench


def test_what_was_kept_goes_and_is_not_delivered_again(bench: Bench) -> None:
    bench.drop("c.txt", b"new")
    standing = bench.drain(policy=DELETES)
    assert standing.delivered_files == 1
    bench.check_delivered_once()


def test_what_was_kept_is_archived_and_not_delivered_again(bench: Bench) -> None:
    standing = bench.drain(policy=ARCHIVES)
    assert standing.delivered_files == 0
    bench.check_delivered_once()
    archived = files_below(bench.state / "archive")
    assert [path.name for path in archived if path.suffix == ".txt"] == [
        "a.txt",
        "b.txt",
    ]


def test_what_was_kept_and_then_changed_is_delivered(bench: Bench) -> None:
    for path in files_below(bench.wire):
        path.unlink()
    bench.drop("a.txt", b"other content")
    bench.drain(policy=DELETES)
    bench.take_all()
    assert bench.taken[2:] == [("a.txt", b"other content")]
    assert files_below(bench.inbox) == []


def test_file_that_was_never_kept_and_comes_back_is_delivered_again(
    tmp_path: Path,
) -> None:
    """Also where sources are kept on the same share at another time."""
    bench = Bench(tmp_path)
    bench.drop("a.txt", b"data")
    path, twin = bench.inbox / "a.txt", tmp_path / "twin"
    os.link(path, twin)
    bench.drain(policy=DELETES)
    bench.drain(policy=KEEPS)
    os.link(twin, path)
    bench.drain(policy=DELETES)
    assert not path.exists()
    bench.take_all()
    os.link(twin, path)
    standing = bench.drain(policy=DELETES)
    assert standing.delivered_files == 1


def test_run_that_kept_and_may_not_any_more_takes_away_what_it_kept(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    bench.drop("a.txt", b"data")
    policies = [KEEPS] * 3 + [DELETES] * 20

    node = bench.node(read_policy=lambda: policies.pop(0))
    node.run()
    bench.drop("b.txt", b"data")
    bench.ledger.close()
    bench.drain(policy=DELETES)
    bench.check_delivered_once()


def test_what_was_kept_and_cannot_be_taken_away_stays_as_it_is(bench: Bench) -> None:
    class Theirs(WatchedShare):
        def removal(self, folder: Place) -> Removal:
            return Removal.NONE if folder.path == "sub" else Removal.ANY

        def rename_new(self, source: Place, target: Place) -> None:
            if str(source).startswith("inbox/sub/"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._share.rename_new(source, target)

    standing = bench.drain(Theirs(bench.share()), policy=DELETES)
    assert (standing.delivered_files, standing.exit_codes) == (0, set())
    assert [path.name for path in files_below(bench.inbox)] == ["b.txt"]


@pytest.mark.parametrize("policy", [DELETES, ARCHIVES])
def test_node_that_dies_as_it_takes_away_what_was_kept_delivers_nothing_again(
    tmp_path: Path, policy: object
) -> None:
    number = 0
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        bench = Bench(folder)
        bench.drop("a.txt", b"data")
        bench.drain(policy=KEEPS)
        bench.take_all()
        changes = 0

        def die(_: int, name: str, at: int = number) -> None:
            nonlocal changes
            if name in CHANGES:
                if changes == at:
                    raise Crash
                changes += 1

        try:
            bench.drain(WatchedShare(bench.share(), after=die), policy=policy)
        except Crash:
            bench.drain(policy=policy)
            bench.check_delivered_once()
            number += 1
            continue
        assert number > 8
        return


def test_share_that_fails_as_what_was_kept_is_taken_away_loses_nothing(
    bench: Bench,
) -> None:
    class Failing(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if str(source).startswith("inbox/"):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._share.rename_new(source, target)

    with pytest.raises(ShareError):
        bench.drain(Failing(bench.share()), policy=DELETES)
    assert len(files_below(bench.inbox)) == 2
    bench.drain(policy=DELETES)
    bench.check_delivered_once()
