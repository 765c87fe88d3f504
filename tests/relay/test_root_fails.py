"""A root on a file system of its own fails: no item is to blame for that."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from relay_bench import Bench, StopAfter, WatchedShare, policy_with, reasons

from paxect_batch.model.errors import ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.scan import scan

FAILS_AT, IS_BACK_AT, ENDS_AT = 100, 1000, 2000
FILES = 6


class Apart(WatchedShare):
    """One root is on a file system of its own, and fails whatever changes it."""

    root = Root.OUTBOX
    number = 0

    def together(self, one: Root, other: Root) -> bool:
        return one is other or self.root not in (one, other)

    def _require(self, *places: Place) -> None:
        for place in places:
            if self.number and place.root is self.root:
                raise OSError(self.number, os.strerror(self.number), str(place))

    def create(self, place: Place) -> object:
        self._require(place)
        return self._share.create(place)

    def write(self, place: Place, data: bytes) -> None:
        self._require(place)
        self._share.write(place, data)

    def make_folder(self, folder: Place) -> None:
        self._require(folder)
        self._share.make_folder(folder)

    def freshen(self, folder: Place) -> None:
        self._require(folder)
        self._share.freshen(folder)

    def rename_new(self, source: Place, target: Place) -> None:
        self._require(source, target)
        self._share.rename_new(source, target)


class Unread(Apart):
    """One root fails whatever reads or looks at its files."""

    root = Root.INBOX

    def open_source(self, place: Place) -> object:
        self._require(place)
        return self._share.open_source(place)

    def look(self, place: Place, *, closely: bool = False) -> object:
        # Of admission's looks none fails: it breaks down between these and the reads.
        if not closely:
            self._require(place)
        return self._share.look(place, closely=closely)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.drop("first", b"first")
    return bench


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (Apart, errno.EROFS),
        (Apart, errno.EIO),
        (Apart, errno.EACCES),
        (Apart, errno.ENOTCONN),
        (Unread, errno.EIO),
        (Unread, errno.ENOTCONN),
    ],
)
def test_items_wait_while_a_root_fails_and_arrive_once_it_is_back(
    bench: Bench, kind: type[Apart], number: int
) -> None:
    """All that came was set aside."""
    share = kind(bench.share())

    def act(looks: int) -> None:
        if looks == FAILS_AT:
            share.number = number
            for n in range(FILES):
                bench.drop(f"file-{n}", b"%d" % n)
        if looks == IS_BACK_AT:
            share.number = 0

    standing = bench.drain(
        share,
        policy=policy_with(attempts=1),
        watch=True,
        stop=StopAfter(ENDS_AT, act),
        poll_seconds=1.0,
    )
    assert reasons(bench) == []
    assert standing.set_aside_files == 0
    assert bench.events.named(Event.SHARE_TROUBLE)
    assert standing.delivered_files == FILES + 1
    bench.check_delivered_once()


@pytest.mark.parametrize("root", [Root.INBOX, Root.WIRE])
def test_root_that_may_not_be_listed_is_no_folder_that_costs_itself(
    tmp_path: Path, root: Root
) -> None:
    class Closed(WatchedShare):
        def entries(self, folder: Place) -> Iterator[Entry]:
            if folder == Place(root, ""):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            yield from self._share.entries(folder)

    with pytest.raises(PermissionError):
        list(scan(Closed(Bench(tmp_path).share()), root))


def test_root_that_cannot_be_made_fresh_is_not_taken_for_empty(tmp_path: Path) -> None:
    class Closed(WatchedShare):
        def freshen(self, folder: Place) -> None:
            if folder == Place(Root.INBOX, ""):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._share.freshen(folder)

    with pytest.raises(ShareError):
        Bench(tmp_path).drain(Closed(Bench(tmp_path).share()))
