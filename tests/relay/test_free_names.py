"""Names for files that are moved: the wanted one, or one like it that is free."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from relay_bench import Bench, WatchedShare, left

from paxect_batch.model.places import Place, Root
from paxect_batch.relay.free_names import move_to_free_name

SOURCE = Place(Root.INBOX, "sub/a.txt")
TARGET = Place(Root.WIRE, "sub/a.txt.freq")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.drop(SOURCE.path, b"data")
    return bench


def test_name_is_found_with_few_looks_however_many_are_taken(bench: Bench) -> None:
    share, archive = bench.share(), bench.state / "archive"
    archive.mkdir()
    target = Place(Root.STATE, "archive/a.txt")
    (archive / "a.txt").touch()
    for number in range(1, 2000):
        (archive / f"a.txt.{number}").touch()
    looks: list[str] = []
    watched = WatchedShare(share, before=lambda number, name: looks.append(name))
    free = move_to_free_name(watched, SOURCE, target)
    assert free is not None
    assert (bench.state / free.path).read_bytes() == b"data"
    assert len(looks) < 50
    bench.drop(SOURCE.path, b"data")
    os.utime(bench.inbox / SOURCE.path, ns=(0, int(free.name.rpartition(".")[2])))
    again = move_to_free_name(share, SOURCE, target)
    assert again not in (None, free)
    assert left(bench).keys() & {"inbox/sub/a.txt"} == set()


def test_folder_that_cannot_be_made_is_not_taken_for_a_name_that_is_taken(
    bench: Bench,
) -> None:
    (bench.wire / "sub").write_bytes(b"a file")
    with pytest.raises(NotADirectoryError):
        move_to_free_name(bench.share(), SOURCE, TARGET)
    assert left(bench) == {"inbox/sub/a.txt": b"data", "wire/sub": b"a file"}


def test_name_that_is_never_free_is_an_error_and_nothing_is_replaced(
    bench: Bench,
) -> None:
    class Full(WatchedShare):
        def move_new(self, source: Place, target: Place) -> None:
            raise FileExistsError(errno.EEXIST, "taken", str(target))

    with pytest.raises(FileExistsError, match="no name is to be had"):
        move_to_free_name(Full(bench.share()), SOURCE, TARGET)
    assert left(bench) == {"inbox/sub/a.txt": b"data"}


def test_move_that_was_broken_off_with_both_names_there_is_finished(
    bench: Bench,
) -> None:
    """Also one of which the share lost the answer."""
    os.link(bench.inbox / SOURCE.path, bench.inbox / "free")
    move_to_free_name(bench.share(), SOURCE, Place(Root.INBOX, "free"))
    assert left(bench) == {"inbox/free": b"data"}


def test_nothing_to_move_is_no_error(bench: Bench) -> None:
    assert move_to_free_name(bench.share(), Place(Root.INBOX, "absent"), TARGET) is None
    assert left(bench) == {"inbox/sub/a.txt": b"data"}


def test_file_that_takes_the_place_of_the_folder_is_no_name_that_is_taken(
    bench: Bench,
) -> None:
    """Whoever numbers on would go through a thousand names for nothing."""

    class Swapped(WatchedShare):
        def move_new(self, source: Place, target: Place) -> None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

        def make_folder(self, folder: Place) -> None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    with pytest.raises(NotADirectoryError):
        move_to_free_name(Swapped(bench.share()), SOURCE, TARGET)
    assert (bench.inbox / SOURCE.path).read_bytes() == b"data"
