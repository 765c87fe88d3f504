"""Large files are told of as a worker goes over them, small ones never."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Lot, Result, Task
from paxect_batch.seams import Share
from paxect_batch.work import meter
from paxect_batch.work.lots import do_lot
from paxect_batch.world.share import LocalShare

FRAME_BYTES = 1 << 12
RAW = bytes(range(256)) * 16 * 10


@pytest.fixture
def share(tmp_path: Path) -> Share:
    roots = {root: tmp_path / root for root in Root}
    for path in roots.values():
        path.mkdir()
    (roots[Root.INBOX] / "a").write_bytes(RAW)
    return LocalShare(roots)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "INTERVAL_SECONDS", 0.0)


def encoding(share: Share, *, read_back: bool) -> Task:
    source = Place(Root.INBOX, "a")
    facts = share.look(source)
    assert facts is not None
    return Task(
        direction=Direction.ENCODE,
        source=source,
        identity=facts.identity,
        stage=Place(Root.WIRE, ".a.part"),
        sidecar=Place(Root.WIRE, ".a.sha256.part"),
        level=3,
        channels=1,
        frame_bytes=FRAME_BYTES,
        threads=1,
        read_back=read_back,
        twice=False,
    )


def decoding(share: Share, *, read_back: bool) -> Task:
    encode = encoding(share, read_back=False)
    do_lot(share, Lot(1, (encode,)))
    facts = share.look(encode.stage)
    assert facts is not None
    return msgspec.structs.replace(
        encode,
        direction=Direction.DECODE,
        source=encode.stage,
        identity=facts.identity,
        stage=Place(Root.OUTBOX, ".a.part"),
        sidecar=Place(Root.WIRE, "none"),
        read_back=read_back,
    )


@pytest.mark.parametrize("make", [encoding, decoding])
@pytest.mark.parametrize("read_back", [False, True])
def test_passes_over_a_large_file_are_told_up_to_all_of_its_bytes(
    share: Share, monkeypatch: pytest.MonkeyPatch, make: object, *, read_back: bool
) -> None:
    monkeypatch.setattr(meter, "METERED_BYTES_MIN", 1)
    assert callable(make)
    task = make(share, read_back=read_back)
    told: list[int] = []
    (outcome,) = do_lot(share, Lot(2, (task,)), told.append)
    assert outcome.result is Result.STAGED
    assert told == sorted(told)
    assert 0 < told[0] <= task.identity.size // 3
    # A container's footer is no part of its last frame.
    assert told[-1] == pytest.approx(task.identity.size, abs=50)


def test_small_files_are_not_told_of(share: Share) -> None:
    told: list[int] = []
    task = encoding(share, read_back=True)
    assert do_lot(share, Lot(1, (task,)), told.append)[0].result is Result.STAGED
    assert told == []


def test_files_of_a_lot_are_told_of_together_and_not_all_the_time(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "METERED_BYTES_MIN", 1)
    monkeypatch.setattr(meter, "INTERVAL_SECONDS", 10.0)
    now, told = [0.0], []
    made = meter.Meter(told.append, monotonic=lambda: now[0])
    first = encoding(share, read_back=False)
    second = msgspec.structs.replace(first, stage=Place(Root.WIRE, ".b.part"))
    passes = [
        made.over(first, 0.0, 0.5, raw_bytes=200),
        made.over(second, 0.5, 1.0, container_bytes=400),
    ]
    for seconds in (9.0, 10.0, 11.0, 20.0):
        now[0] = seconds
        for each in passes:
            assert each is not None
            each(int(seconds) * 10, int(seconds) * 10)
    # At 10 seconds the second file was where it had been at 9.
    half = len(RAW) / 2
    assert told == [
        int(half * 100 / 200 + half + half * 90 / 400),
        int(half * 200 / 200 + half + half * 110 / 400),
    ]
