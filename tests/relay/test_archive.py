"""The archive: what was retired is there, whatever is in its way."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pytest
from relay_bench import Bench, StopAfter, WatchedShare, files_below, policy_with

from paxect_batch.model.items import Direction, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone
from paxect_batch.model.transfer import Pledge
from paxect_batch.relay.archive import archive_copy
from paxect_batch.relay.state import key_of

ARCHIVES = policy_with(on_done=OnDone.ARCHIVE)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def archived(folder: Path) -> dict[str, bytes]:
    """Return what is in the archive of a relay folder and apart from it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files_below(folder)
        if path.relative_to(folder).parts[0].startswith("archive")
        and "wire" not in path.relative_to(folder).parts
        and path.suffix != ".freq"
    }


class FarFolder(WatchedShare):
    """From `inbox/far` no rename leads anywhere: something else is mounted there."""

    def rename_new(self, source: Place, target: Place) -> None:
        if str(source).startswith("inbox/far/"):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
        self._share.rename_new(source, target)


class FarInbox(WatchedShare):
    """The inbox is on a file system of its own."""

    def together(self, one: Root, other: Root) -> bool:
        return one is other or Root.INBOX not in (one, other)

    def rename_new(self, source: Place, target: Place) -> None:
        self._require_one(source, target)
        self._share.rename_new(source, target)

    def move_new(self, source: Place, target: Place) -> None:
        self._require_one(source, target)
        self._share.move_new(source, target)

    def _require_one(self, source: Place, target: Place) -> None:
        if not self.together(source.root, target.root):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))


def test_archive_keeps_every_source_of_one_name(bench: Bench) -> None:
    for number in range(3):
        bench.drop("sub/a.txt", b"content %d" % number)
        bench.drain(policy=ARCHIVES)
        bench.take_all()
    assert archived(bench.state) == {
        "archive/inbox/sub/a.txt": b"content 0",
        "archive/inbox/sub/a.txt.1": b"content 1",
        "archive/inbox/sub/a.txt.2": b"content 2",
    }


def test_file_of_yesterday_where_a_folder_is_needed_today_stops_nothing(
    bench: Bench,
) -> None:
    for name in ("report", "report/x.csv", "z.txt"):
        bench.drop(name, name.encode())
        bench.drain(policy=ARCHIVES)
        bench.take_all()
        if name == "report/x.csv":
            (bench.inbox / "report").rmdir()
    assert bench.taken == [(name, name.encode()) for name in bench.dropped]
    key = key_of(Direction.ENCODE, Place(Root.INBOX, "report/x.csv"))
    assert archived(bench.state) == {
        "archive/inbox/report": b"report",
        f"archive-apart/{key}/x.csv": b"report/x.csv",
        "archive/inbox/z.txt": b"z.txt",
    }


def test_archive_that_is_a_link_is_not_followed_and_stops_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (bench.state / "archive").symlink_to(elsewhere)
    bench.drop("a.txt", b"data")
    bench.drain(policy=ARCHIVES)
    bench.take_all()
    assert bench.taken == [("a.txt", b"data")]
    assert list(elsewhere.iterdir()) == []
    assert list(archived(bench.state).values()) == [b"data"]


def test_inbox_on_a_file_system_of_its_own_has_its_archive_there(bench: Bench) -> None:
    bench.drop("sub/a.txt", b"data")
    bench.drain(FarInbox(bench.share()), policy=ARCHIVES)
    bench.take_all()
    assert bench.taken == [("sub/a.txt", b"data")]
    assert archived(bench.inbox / ".paxect") == {"archive/inbox/sub/a.txt": b"data"}
    assert archived(bench.state) == {}


def test_folder_on_a_file_system_of_its_own_has_copies_in_the_archive(
    bench: Bench,
) -> None:
    bench.drop("far/a.txt", b"data")
    path = bench.inbox / "far/a.txt"
    os.utime(path, ns=(0, 10**18))
    path.chmod(0o640)
    bench.drain(FarFolder(bench.share()), policy=ARCHIVES)
    bench.take_all()
    assert bench.taken == [("far/a.txt", b"data")]
    assert archived(bench.state) == {"archive/inbox/far/a.txt": b"data"}
    found = (bench.state / "archive/inbox/far/a.txt").stat()
    assert (found.st_mtime_ns, found.st_mode & 0o777) == (10**18, 0o640)
    assert not path.exists()


def test_file_that_takes_the_name_while_a_copy_is_made_is_never_lost(
    bench: Bench,
) -> None:
    bench.drop("far/a.txt", b"data")
    path = bench.inbox / "far/a.txt"

    class Replaced(FarFolder):
        def dress(self, *args: object, **named: object) -> None:
            if files_below(bench.wire) and path.read_bytes() == b"data":
                bench.drop("far/new", b"newer")
                (bench.inbox / "far/new").rename(path)
                bench.dropped["far/a.txt"] = bench.dropped.pop("far/new")
            self._share.dress(*args, **named)

    bench.drain(Replaced(bench.share()), policy=ARCHIVES)
    assert bench.dropped == {"far/a.txt": b"newer"}
    assert bench.whole_somewhere() == set()


def test_copy_of_what_was_written_to_meanwhile_is_dropped(bench: Bench) -> None:
    bench.drop("far/a.txt", b"data and more")
    pledge = Pledge(
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "far/a.txt"),
        identity=Identity(4, 0, 0),
        stage=Place(Root.STATE, "stage/node/run/0-0.part"),
        target=Place(Root.WIRE, "far/a.txt.freq"),
        sidecar_stage=None,
        sidecar=None,
        raw_bytes=4,
        raw_sha256="",
        container_bytes=4,
        container_sha256="",
    )
    aside = Place(Root.STATE, "stage/node/run/retired-archive-key-0-0.part")
    assert not archive_copy(bench.share(), pledge, aside)
    assert files_below(bench.state) == []
    assert (bench.inbox / "far/a.txt").read_bytes() == b"data and more"


def test_copy_in_the_archive_is_durable_before_its_source_goes(bench: Bench) -> None:
    """Or a power cut in between takes the archive's only file of that name."""
    bench.drop("far/a.txt", b"data")
    steps: list[str] = []

    class Noted(FarFolder):
        def create(self, place: Place) -> IO[bytes]:
            stream: IO[bytes] = self._share.create(place)
            self.copy = stream if place.name.startswith("copy-") else None
            return stream

        def sync(self, stream: IO[bytes]) -> None:
            steps.append("sync copy" if stream is self.copy else "sync")
            self._share.sync(stream)

        def sync_folder(self, folder: Place) -> None:
            steps.append(f"sync {folder}")
            self._share.sync_folder(folder)

        def remove(self, place: Place) -> bool:
            steps.append(f"remove {place}")
            return bool(self._share.remove(place))

    bench.drain(Noted(bench.share()), policy=ARCHIVES)
    assert list(archived(bench.state).values()) == [b"data"]
    in_order = ["sync copy", "sync .paxect/archive/inbox/far", "remove inbox/far/a.txt"]
    assert [step for step in steps if step in in_order] == in_order


def test_copy_that_was_begun_and_not_finished_is_made_anew(bench: Bench) -> None:
    bench.drop("far/a.txt", b"data")

    class FailsOnce(FarFolder):
        fails = True

        def dress(self, *args: object, **named: object) -> None:
            is_copied = bool(files_below(bench.wire))
            if is_copied and self.fails:
                self.fails = False
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._share.dress(*args, **named)

    bell_rings_after = StopAfter(40)
    bench.drain(
        FailsOnce(bench.share()), policy=ARCHIVES, watch=True, stop=bell_rings_after
    )
    assert archived(bench.state) == {"archive/inbox/far/a.txt": b"data"}
    assert not (bench.inbox / "far/a.txt").exists()


def test_source_whose_name_is_never_free_in_the_archive_lies_apart(
    bench: Bench,
) -> None:
    class Full(WatchedShare):
        def move_new(self, source: Place, target: Place) -> None:
            if target.path.startswith("archive/"):
                raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            self._share.move_new(source, target)

    bench.drop("a.txt", b"data")
    bench.drain(Full(bench.share()), policy=ARCHIVES)
    bench.take_all()
    assert bench.taken == [("a.txt", b"data")]
    key = key_of(Direction.ENCODE, Place(Root.INBOX, "a.txt"))
    assert archived(bench.state) == {f"archive-apart/{key}/a.txt": b"data"}


def test_source_is_durably_in_the_archive_before_its_promise_is_forgotten(
    bench: Bench,
) -> None:
    bench.drop("sub/a.txt", b"data")
    steps: list[str] = []

    class Noted(WatchedShare):
        def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
            steps.extend(f"sync {folder}" for folder in folders)
            told: tuple[OSError | None, ...] = self._share.sync_folders(folders)
            return told

        def remove(self, place: Place) -> bool:
            if place.path.startswith("intents/"):
                steps.append("forget")
            return bool(self._share.remove(place))

    bench.drain(Noted(bench.share()), policy=ARCHIVES, mode=Mode.ENCODE)
    assert archived(bench.state) == {"archive/inbox/sub/a.txt": b"data"}
    assert steps.index("sync .paxect/archive/inbox/sub") < steps.index("forget")
