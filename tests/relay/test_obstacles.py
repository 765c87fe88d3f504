"""Things in the way of one item, or of a crumb, that stopped all runs of all nodes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from relay_bench import Bench, WatchedShare, files_below, policy_with, reasons

import paxect_core
from paxect_batch.model.errors import Exit
from paxect_batch.model.items import Direction, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone
from paxect_batch.model.run import Standing
from paxect_batch.model.transfer import Pledge
from paxect_batch.relay.targets import look_at_sidecar
from paxect_batch.rules.steps import TargetState

ONCE = policy_with(attempts=1)
OLD = "0123456789abcdef"
LONG_AGO = 1_500_000_000


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for name in ("a", "y", "z"):
        bench.drop(name, name.encode())
    return bench


def put_folder(path: Path) -> None:
    path.mkdir()


def put_link(path: Path) -> None:
    path.symlink_to("nowhere")


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_long_text(path: Path) -> None:
    path.write_bytes(b"x" * 5000)


def put_unreadable(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)


@pytest.mark.parametrize(
    "put", [put_folder, put_link, put_pipe, put_long_text, put_unreadable]
)
def test_what_lies_where_a_sidecar_belongs_costs_one_item(
    bench: Bench, put: Callable[[Path], None]
) -> None:
    put(bench.wire / "y.freq.sha256")
    standing = bench.drain(policy=ONCE, mode=Mode.RELAY)
    assert (standing.delivered_files, standing.set_aside_files) == (2, 1)
    assert [(reason["source"], reason["code"]) for reason in reasons(bench)] == [
        (["inbox", "y"], "collision")
    ]
    assert files_below(bench.state / "intents") == []
    assert os.path.lexists(bench.wire / "y.freq.sha256")


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.EACCES, TargetState.DIFFERENT), (errno.ESTALE, TargetState.ABSENT)],
)
def test_sidecar_that_cannot_be_read_is_in_the_way_or_gone(
    bench: Bench, number: int, told: TargetState
) -> None:
    assert look_at_sidecar(failing(bench, number), pledge()) is told


def test_sidecar_that_a_disk_does_not_give_is_the_trouble_of_the_share(
    bench: Bench,
) -> None:
    with pytest.raises(OSError, match="Input/output"):
        look_at_sidecar(failing(bench, errno.EIO), pledge())


def failing(bench: Bench, number: int) -> WatchedShare:
    (bench.wire / "y.freq.sha256").write_bytes(b"x")

    class Failing(WatchedShare):
        def read(self, place: Place, bytes_max: int) -> bytes:
            raise OSError(number, os.strerror(number))

    return Failing(bench.share())


def pledge() -> Pledge:
    return Pledge(
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "y"),
        identity=Identity(1, 2, 3),
        stage=Place(Root.STATE, "stage/n/r/0/1"),
        target=Place(Root.WIRE, "y.freq"),
        sidecar_stage=Place(Root.STATE, "stage/n/r/0/1.sha256"),
        sidecar=Place(Root.WIRE, "y.freq.sha256"),
        raw_bytes=1,
        raw_sha256="0" * 64,
        container_bytes=1,
        container_sha256="1" * 64,
    )


def test_container_whose_sidecar_may_not_be_read_says_so(bench: Bench) -> None:
    """It said that staging was denied, and led people to the disk."""
    bench.drain(policy=ONCE, mode=Mode.ENCODE)

    class Theirs(WatchedShare):
        def read(self, place: Place, bytes_max: int) -> bytes | None:
            if place.name == "y.freq.sha256":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            data: bytes | None = self._share.read(place, bytes_max)
            return data

    standing = bench.drain(Theirs(bench.share()), policy=ONCE, mode=Mode.DECODE)
    assert (standing.delivered_files, standing.set_aside_files) == (2, 1)
    (reason,) = reasons(bench)
    assert reason["code"] == "unreadable"
    assert reason["detail"] == "reading its sidecar gave Permission denied"


def test_container_in_the_way_is_told_as_what_it_is(bench: Bench) -> None:
    """Told was that its sidecar belongs to nothing, and to remove that."""
    bench.drain(policy=ONCE, mode=Mode.ENCODE)
    bench.drop("y", b"another")
    standing = bench.drain(policy=ONCE, mode=Mode.ENCODE)
    assert standing.set_aside_files == 1
    (reason,) = reasons(bench)
    assert "wire/y.freq is taken by other bytes" in str(reason["detail"])


@pytest.mark.parametrize("root", ["inbox", "wire"])
def test_folder_named_like_a_file_of_a_moment_stops_nobody(
    bench: Bench, root: str
) -> None:
    folder = bench.folder / root / f".paxect-{OLD}.tmp"
    folder.mkdir()
    os.utime(folder, (LONG_AGO, LONG_AGO))
    assert bench.drain().delivered_files == 3
    assert folder.is_dir()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_file_of_a_moment_that_may_not_be_removed_stops_nobody(
    bench: Bench, number: int
) -> None:
    class Theirs(WatchedShare):
        def remove(self, place: Place) -> bool:
            if OLD in place.name:
                raise OSError(number, os.strerror(number), str(place))
            removed: bool = self._share.remove(place)
            return removed

    crumb = bench.inbox / f".paxect-{OLD}.tmp"
    crumb.touch()
    os.utime(crumb, (LONG_AGO, LONG_AGO))
    assert bench.drain(Theirs(bench.share())).delivered_files == 3
    assert crumb.exists()
    assert bench.drain().seen_files == 0
    assert not crumb.exists()


def test_container_in_quarantine_whose_folder_was_closed_since_stops_nobody(
    bench: Bench,
) -> None:
    (bench.wire / "p").mkdir()
    (bench.wire / "p" / "bad.freq").write_bytes(b"no container")
    assert bench.drain(policy=ONCE).set_aside_files == 1

    class Closed(WatchedShare):
        def look(self, place: Place, *, closely: bool = False) -> object:
            if place.root is Root.WIRE and place.path.startswith("p/"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return self._share.look(place, closely=closely)

    bench.drop("later", b"later")
    assert bench.drain(Closed(bench.share())).delivered_files == 1


def test_folder_that_cannot_be_changed_is_listed_as_it_is(bench: Bench) -> None:
    bench.drop("below/b", b"b")

    class ReadOnly(WatchedShare):
        def freshen(self, folder: Place) -> None:
            if folder.path == "below":
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            self._share.freshen(folder)

    kept = policy_with(on_done=OnDone.KEEP)
    standing = bench.drain(ReadOnly(bench.share()), policy=kept)
    assert standing.delivered_files == 4
    assert standing.exit_codes <= {0}


def decoded_as(bench: Bench, *, sent_again: bool) -> Standing:
    dressed = policy_with(carry_times=True, carry_mode=True)
    path = bench.inbox / "a"
    path.chmod(0o750)
    os.utime(path, (LONG_AGO, LONG_AGO))
    bench.drain(policy=dressed, mode=Mode.ENCODE)
    if sent_again:
        (bench.wire / "a.freq.sha256").unlink()
        with (bench.wire / "a.freq").open("wb") as stream:
            stream.write(paxect_core.encode_bytes(b"other bytes"))
    return bench.drain(policy=dressed, mode=Mode.DECODE)


@pytest.mark.parametrize("sent_again", [False, True])
def test_file_has_the_times_and_permissions_of_its_own_container_only(
    bench: Bench, sent_again: bool
) -> None:
    assert decoded_as(bench, sent_again=sent_again).delivered_files == 3
    found = (bench.outbox / "a").stat()
    assert (found.st_mtime == LONG_AGO) is not sent_again
    assert (found.st_mode & 0o777 == 0o750) is not sent_again


@pytest.mark.parametrize("dressed", [False, True])
def test_link_for_a_folder_of_the_wire_costs_what_goes_there(
    bench: Bench, dressed: bool
) -> None:
    """With times to carry it ended every run."""
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    (bench.wire / "sub").symlink_to(elsewhere)
    bench.drop("sub/file", b"below a link")
    bench.drop("file", b"beside it")
    policy = policy_with(carry_times=dressed, attempts=1)
    for _ in range(2):
        standing = bench.drain(policy=policy)
        assert standing.exit_codes <= {Exit.UNFINISHED}
    bench.take_all()
    assert {name for name, _ in bench.taken} == {"a", "y", "z", "file"}
    assert list(elsewhere.iterdir()) == []
    (reason,) = reasons(bench)
    assert reason["code"] == "collision"


def test_file_that_its_consumer_takes_as_it_is_compared_is_in_nobodys_way(
    bench: Bench,
) -> None:
    class Taken(WatchedShare):
        def open_source(self, place: Place) -> IO[bytes]:
            if place.root is Root.OUTBOX:
                (bench.outbox / place.path).unlink()
            stream: IO[bytes] = self._share.open_source(place)
            return stream

    bench.drop("a.txt", b"data")
    (bench.outbox / "a.txt").write_bytes(b"else")
    standing = bench.drain(Taken(bench.share()), policy=ONCE)
    assert standing.delivered_files == len(bench.dropped)
    assert standing.exit_codes == set()
    assert (bench.outbox / "a.txt").read_bytes() == b"data"
