"""Operations on the share fail, with each error a share gives."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest
from relay_bench import Bench, WatchedShare

from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.world.share import LocalShare
from paxect_batch.world.syncing import met

FILES = {"a.txt": b"alpha" * 100, "sub/b.bin": bytes(range(256)) * 9}


def _bench(tmp_path: Path, name: str) -> Bench:
    folder = tmp_path / name
    folder.mkdir()
    bench = Bench(folder)
    for path, data in FILES.items():
        bench.drop(path, data)
    return bench


class Told(LocalShare):
    """A share that tells of renames and of what was made durable, and fails once."""

    def __init__(self, roots: Mapping[Root, str | bytes]) -> None:
        super().__init__(roots)
        self.told: list[tuple[str, Place]] = []
        self.fails: Root | None = None
        self.synced: list[int] = []

    def rename_new(self, source: Place, target: Place) -> None:
        super().rename_new(source, target)
        self.told += [("from", source), ("to", target)]

    def sync(self, stream: IO[bytes]) -> None:
        super().sync(stream)
        self.synced.append(os.fstat(stream.fileno()).st_ino)

    def remove(self, place: Place) -> bool:
        self.told.append(("removed", place))
        return super().remove(place)

    def sync_folder(self, folder: Place) -> None:
        if folder.root is self.fails:
            self.fails = None
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync_folder(folder)
        self.told.append(("sync", folder))

    def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
        return tuple(met(self.sync_folder, folder) for folder in folders)


@pytest.mark.parametrize("root", [Root.WIRE, Root.OUTBOX])
def test_name_whose_sync_failed_is_durable_before_its_source_goes(
    tmp_path: Path, root: Root
) -> None:
    """Power that fails afterwards would take both: whoever recovers must sync it."""
    bench = _bench(tmp_path, "share")
    share = Told(bench.share().roots)
    share.fails = root
    with contextlib.suppress(ShareError):
        bench.drain(share)
    assert share.fails is None
    bench.drain(share)
    bench.check_delivered_once()
    for path in FILES:
        container = Place(Root.WIRE, f"{path}.freq")
        source, target = Place(Root.INBOX, path), container
        if root is Root.OUTBOX:
            source, target = container, Place(Root.OUTBOX, path)
        told = share.told[share.told.index(("to", target)) :]
        assert ("sync", target.folder) in told[: told.index(("from", source))]


def test_equal_file_of_a_stranger_is_durable_before_it_counts_as_delivered(
    tmp_path: Path,
) -> None:
    bench = _bench(tmp_path, "share")
    (bench.outbox / "a.txt").write_bytes(FILES["a.txt"])
    theirs = (bench.outbox / "a.txt").stat().st_ino
    share = Told(bench.share().roots)
    bench.drain(share)
    assert theirs in share.synced
    assert (bench.outbox / "a.txt").stat().st_ino == theirs
    bench.check_delivered_once()


def test_sidecar_that_is_taken_back_is_gone_for_good_before_its_intent_is(
    tmp_path: Path,
) -> None:
    """Brought back by a power cut it would keep its name taken, and nobody would know."""
    bench = _bench(tmp_path, "share")
    sidecar = Place(Root.WIRE, "a.txt.freq.sha256")

    class Raced(Told):
        def rename_new(self, source: Place, target: Place) -> None:
            super().rename_new(source, target)
            if target == sidecar:
                (bench.wire / "a.txt.freq").write_bytes(b"of this instant")

    share = Raced(bench.share().roots)
    bench.drain(share, mode=Mode.ENCODE)
    assert not (bench.wire / sidecar.path).exists()
    told = share.told[share.told.index(("removed", sidecar)) :]
    intents = [place for what, place in told if place.path.startswith("intents/")]
    assert ("sync", sidecar.folder) in told[: told.index(("removed", intents[0]))]


ERRORS = (errno.ENOSPC, errno.EIO, errno.ESTALE, errno.EACCES)


@pytest.mark.parametrize("forever", [False, True], ids=["once", "forever"])
@pytest.mark.parametrize("number", ERRORS, ids=os.strerror)
@pytest.mark.slow
def test_any_operation_that_fails_loses_nothing_and_later_drain_delivers_once(
    tmp_path: Path, number: int, forever: bool
) -> None:
    counter = WatchedShare(_bench(tmp_path, "count").share())
    Bench(tmp_path / "count").drain(counter)
    assert counter.count > 60
    # What fails for good ends the run soon, whatever fails; two errors for each point.
    first, step = (ERRORS.index(number) % 2, 2) if forever else (0, 1)
    for point in range(first, counter.count, step):
        bench = _bench(tmp_path, str(point))

        def fail(count: int, name: str, at: int = point) -> None:
            if count == at or (forever and count > at):
                raise OSError(number, os.strerror(number), name)

        try:
            standing = bench.drain(WatchedShare(bench.share(), before=fail))
        except ShareError as error:
            assert "items are as they were" in error.message  # noqa: PT017
        else:
            assert standing.set_aside_files == 0
        assert bench.whole_somewhere() == set()
        bench.take_all()
        bench.drain()
        bench.check_delivered_once()
