"""What a local share does around calls: in which order, on how many at once."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from stages import LocalStage, inbox, outbox, refused

from paxect_batch.model.places import Place, Root
from paxect_batch.world.share import LocalShare
from paxect_batch.world.stale import until_stale


class Noting(LocalShare):
    """Notes what is synced, and what lies under the paper's name by then."""

    path: Path
    synced: list[tuple[str, bytes]]

    def _there(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b"nothing"

    def sync(self, stream: IO[bytes]) -> None:
        super().sync(stream)
        self.synced.append(("file", self._there()))

    def sync_folder(self, folder: Place) -> None:
        super().sync_folder(folder)
        self.synced.append((str(folder), self._there()))


def test_paper_is_durable_before_it_has_its_name_and_its_name_then(
    tmp_path: Path,
) -> None:
    for root in Root:
        (tmp_path / root).mkdir()
    share = Noting({root: str(tmp_path / root) for root in Root})
    share.path, share.synced = tmp_path / Root.STATE / "papers" / "paper", []
    for data, before in ((b"first", b"nothing"), (b"second", b"first")):
        share.synced.clear()
        share.write(Place(Root.STATE, "papers/paper"), data)
        assert share.synced[-2:] == [("file", before), (".paxect/papers", data)]


def test_removals_that_take_long_are_made_by_several(stage: LocalStage) -> None:
    seconds = [0.0]

    def slow() -> float:
        seconds[0] += 1.0
        return seconds[0]

    share = LocalShare(stage.share.roots, monotonic=slow)
    places = [inbox(f"f{number}") for number in range(20)]
    for place in places:
        stage.put(place, b"data")
    acting = set()

    def remove(place: Place) -> None:
        acting.add(threading.current_thread())
        share.remove(place)

    share.each(remove, places[:10], removing=True)
    assert acting == {threading.current_thread()}
    acting.clear()
    share.each(remove, places[10:], removing=True)
    assert threading.current_thread() not in acting
    assert [place for place in places if share.look(place) is not None] == []


@pytest.mark.parametrize("path", ["a/../b", "./b", "b\0", "a//b"])
def test_file_is_not_moved_to_where_no_path_leads(stage: LocalStage, path: str) -> None:
    stage.put(inbox("file"), b"data")
    with refused(errno.EINVAL):
        stage.share.move_new(inbox("file"), outbox(path))
    assert stage.get(inbox("file")) == b"data"


def listing(number: int) -> Iterator[os.DirEntry[str]]:
    yield from os.scandir(".")
    raise OSError(number, os.strerror(number))


def test_listing_of_a_folder_that_is_removed_meanwhile_ends() -> None:
    found = list(until_stale(listing(errno.ESTALE), inbox("sub")))
    assert len(found) == len(os.listdir("."))


def test_listing_that_fails_is_told_with_its_folder() -> None:
    """What was not listed would pass for what is not there."""
    with pytest.raises(OSError, match="inbox/sub") as caught:
        list(until_stale(listing(errno.EIO), inbox("sub")))
    assert caught.value.errno == errno.EIO
