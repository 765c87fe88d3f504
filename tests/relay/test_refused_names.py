"""Names that the file system of a target cannot have: each costs its file alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from relay_bench import Bench, WatchedShare, files_below, policy_with, reasons

from paxect_batch.model.errors import Exit, ShareError
from paxect_batch.model.items import Facts
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.targets import UNNAMEABLE

ONCE = policy_with(attempts=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for name in ("a.txt", "at 10:15.txt", "at 10:15/b.txt", "z.txt"):
        bench.drop(name, name.encode())
    return bench


class Particular(WatchedShare):
    """A root whose file system has no name with a colon."""

    root = Root.OUTBOX
    number = errno.EINVAL
    is_away = False

    def _require(self, place: Place) -> None:
        if place.root is self.root and (self.is_away or ":" in place.path):
            raise OSError(self.number, os.strerror(self.number), str(place))

    def rename_new(self, source: Place, target: Place) -> None:
        self._require(target)
        self._share.rename_new(source, target)

    def make_folder(self, folder: Place) -> None:
        self._require(folder)
        self._share.make_folder(folder)

    def prepare_folders(self, folders: Sequence[Place]) -> None:
        # What cannot be made is told when it is needed.
        others = [folder for folder in folders if ":" not in folder.path]
        self._share.prepare_folders(others)

    def freshen(self, folder: Place) -> None:
        self._require(folder)
        self._share.freshen(folder)


@pytest.mark.parametrize("root", [Root.WIRE, Root.OUTBOX])
@pytest.mark.parametrize("number", UNNAMEABLE)
def test_name_that_is_refused_costs_its_file_and_no_other(
    bench: Bench, root: Root, number: int
) -> None:
    """It ended every run of every node."""
    share = Particular(bench.share())
    share.root, share.number = root, number
    for _ in range(2):
        standing = bench.drain(share, policy=ONCE)
        bench.take_all()
        assert standing.exit_codes <= {Exit.UNFINISHED}
    assert [name for name, _ in bench.taken] == ["a.txt", "z.txt"]
    told = reasons(bench)
    assert [reason["code"] for reason in told] == ["unnameable"] * 2
    assert all("refuses the name of" in str(reason["detail"]) for reason in told)
    for crumbs in ("stage", "intents"):
        assert files_below(bench.state / crumbs) == []


def test_root_that_refuses_whatever_it_is_asked_is_the_shares_trouble(
    bench: Bench,
) -> None:
    share = Particular(bench.share())
    share.is_away = True
    with pytest.raises(ShareError):
        bench.drain(share, policy=ONCE)
    assert reasons(bench) == []
    bench.drain(policy=ONCE)
    bench.check_delivered_once()


def test_share_that_says_so_once_of_a_good_name_is_asked_again(bench: Bench) -> None:
    """As SMB clients do after they were cut off from the server."""
    (bench.outbox / "a.txt").write_bytes(b"a.txt")
    said: list[str] = []

    class Once(WatchedShare):
        def _once(self, act: str, place: Place) -> None:
            if place.root is Root.OUTBOX and act not in said:
                said.append(act)
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(place))

        def rename_new(self, source: Place, target: Place) -> None:
            self._once("rename", target)
            self._share.rename_new(source, target)

        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            self._once("look", place)
            return self._share.look(place, closely=closely)  # type: ignore[no-any-return]

    bench.drain(Once(bench.share()), policy=ONCE)
    assert sorted(said) == ["look", "rename"]
    assert reasons(bench) == []
    bench.check_delivered_once()
