"""A source that changes while a worker reads it: what was made of it is not staged."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from relay_bench import Bench

import paxect_core
from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Lot, Result, Task
from paxect_batch.work.lots import do_lot
from paxect_batch.world.share import LocalShare

RAW = b"half of it and the other half"
STAGE = Place(Root.STATE, "stage")


def _container() -> bytes:
    sink = io.BytesIO()
    paxect_core.encode(io.BytesIO(RAW), sink)
    return sink.getvalue()


def _replace(path: Path) -> None:
    """By one of the same bytes, as a sender does that sends a file again."""
    other = path.with_name("another")
    other.write_bytes(path.read_bytes())
    other.rename(path)


def _touch(path: Path) -> None:
    """As a writer does that writes the same bytes again."""
    os.utime(path, ns=(0, 0))


def _write_on(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


class _Changing(LocalShare):
    """A share where something happens to the source once its stage is made."""

    happens: Callable[[], None]

    def create(self, place: Place) -> IO[bytes]:
        stage = super().create(place)
        if place == STAGE:
            self.happens()
        return stage


def _result(
    folder: Path, direction: Direction, happens: Callable[[Path], None]
) -> Result:
    bench = Bench(folder)
    share = _Changing(bench.share().roots)
    if direction is Direction.ENCODE:
        source, path, data = Place(Root.INBOX, "a"), bench.inbox / "a", RAW
    else:
        source, path = Place(Root.WIRE, "a.freq"), bench.wire / "a.freq"
        data = _container()
    path.write_bytes(data)
    share.happens = lambda: happens(path)
    with share.open_source(source) as stream:
        identity = share.facts_of(stream).identity
    settings = paxect_core.Settings()
    task = Task(
        direction,
        source,
        identity,
        STAGE,
        Place(Root.STATE, "sidecar"),
        level=settings.level,
        channels=settings.channels,
        frame_bytes=settings.frame_bytes,
        threads=1,
        read_back=False,
        twice=False,
    )
    (outcome,) = do_lot(share, Lot(1, (task,)))
    return outcome.result


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("happens", [_replace, _touch, _write_on, Path.unlink])
def test_source_that_changes_while_it_is_read_is_not_staged(
    tmp_path: Path, direction: Direction, happens: Callable[[Path], None]
) -> None:
    got = _result(tmp_path, direction, happens)
    if (direction, happens) == (Direction.DECODE, _write_on):
        # What was read is damaged as a container, which goes before.
        assert got is not Result.STAGED
    else:
        assert got is Result.CHANGED


@pytest.mark.parametrize("direction", Direction)
def test_source_that_stays_as_it_is_while_it_is_read_is_staged(
    tmp_path: Path, direction: Direction
) -> None:
    assert _result(tmp_path, direction, lambda _path: None) is Result.STAGED
