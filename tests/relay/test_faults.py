"""Each single operation on the share fails in turn, with each error a share gives."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from relay_bench import Bench, WatchedShare

from paxect_batch.model.errors import ShareError

FILES = {"a.txt": b"alpha" * 100, "sub/b.bin": bytes(range(256)) * 9}


def _bench(tmp_path: Path, name: str) -> Bench:
    folder = tmp_path / name
    folder.mkdir()
    bench = Bench(folder)
    for path, data in FILES.items():
        bench.drop(path, data)
    return bench


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
