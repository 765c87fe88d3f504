"""The node dies before, or after, each single operation on the share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from relay_bench import Bench, Crash, WatchedShare

from paxect_batch.model.items import Mode
from paxect_batch.model.policy import OnDone, Policy

STRIDE = 1 if os.environ.get("PAXECT_TEST_LONG") else 3
"""Every so many operations one is tried; all of them in the long form."""

FILES = {
    "a.txt": b"alpha" * 100,
    "sub/b.bin": bytes(range(256)) * 9,
    "sub/deep/empty": b"",
}


def _bench(folder: Path) -> Bench:
    bench = Bench(folder)
    for name, data in FILES.items():
        bench.drop(name, data)
    return bench


def _operations(folder: Path) -> int:
    bench = _bench(folder)
    share = WatchedShare(bench.share())
    bench.drain(share)
    bench.check_delivered_once()
    return share.count


def _die_at(point: int, *, after: bool) -> dict[str, object]:
    def die(number: int, name: str) -> None:
        if number >= point:  # who is dead does nothing more
            raise Crash(name)

    def die_later(number: int, name: str) -> None:
        if number > point:
            raise Crash(name)

    return {"before": die_later, "after": die} if after else {"before": die}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.slow
def test_crash_at_any_operation_then_drain_delivers_everything_once(
    tmp_path: Path, after: bool
) -> None:
    count = _operations(_folder(tmp_path, "count"))
    assert count > 60
    for point in range(after, count, STRIDE):
        bench = _bench(_folder(tmp_path, f"{point}"))
        with pytest.raises(Crash):
            bench.drain(WatchedShare(bench.share(), **_die_at(point, after=after)))
        assert bench.whole_somewhere() == set()
        bench.take_all()
        bench.drain()
        bench.check_delivered_once()


@pytest.mark.slow
def test_crash_during_recovery_at_any_operation_then_drain_delivers_once(
    tmp_path: Path,
) -> None:
    first = 2 * _operations(_folder(tmp_path, "count")) // 3
    point, crashed = 0, True
    while crashed:
        bench = _bench(_folder(tmp_path, f"{point}"))
        with pytest.raises(Crash):
            bench.drain(WatchedShare(bench.share(), **_die_at(first, after=False)))
        bench.take_all()
        try:
            bench.drain(WatchedShare(bench.share(), **_die_at(point, after=True)))
            crashed = False
        except Crash:
            assert bench.whole_somewhere() == set()
        bench.take_all()
        bench.drain()
        bench.check_delivered_once()
        point += STRIDE
    assert point > 10


@pytest.mark.parametrize("on_done", [OnDone.KEEP, OnDone.ARCHIVE])
@pytest.mark.slow
def test_crash_when_sources_are_kept_or_archived_delivers_once(
    tmp_path: Path, on_done: OnDone
) -> None:
    policy = Policy(
        version="2", settle_seconds=0.0, backoff_seconds=0.0, on_done=on_done
    )

    def drain(bench: Bench, **hooks: object) -> int:
        share = WatchedShare(bench.share(), **hooks)
        bench.drain(share, policy=policy)
        return share.count

    count = drain(_bench(_folder(tmp_path, "count")))
    # Before anything is published it is all the same what becomes of sources.
    for point in range(count // 4, count, STRIDE):
        bench = _bench(_folder(tmp_path, f"{point}"))
        with pytest.raises(Crash):
            drain(bench, **_die_at(point, after=False))
        bench.take_all()
        drain(bench)
        bench.take_all()
        drain(bench)
        bench.take_all()
        assert sorted(bench.taken) == sorted(bench.dropped.items())
        kept = bench.inbox if on_done is OnDone.KEEP else bench.state / "archive/inbox"
        for name, data in FILES.items():
            assert (kept / name).read_bytes() == data


@pytest.mark.slow
def test_crash_with_markers_leaves_none_that_calls_the_next_file_whole(
    tmp_path: Path,
) -> None:
    policy = Policy(
        version="2", settle_seconds=0.0, backoff_seconds=0.0, ready_marker=".ready"
    )

    def marked(name: str) -> Bench:
        bench = _bench(_folder(tmp_path, name))
        for file in FILES:
            (bench.inbox / f"{file}.ready").touch()
        return bench

    def drain(bench: Bench, **hooks: object) -> int:
        share = WatchedShare(bench.share(), **hooks)
        bench.drain(share, policy=policy)
        return share.count

    for point in range(0, drain(marked("count")), STRIDE):
        bench = marked(f"{point}")
        with pytest.raises(Crash):
            drain(bench, **_die_at(point, after=False))
        for name in FILES:
            if not (bench.inbox / name).exists():
                assert not (bench.inbox / f"{name}.ready").exists()
        drain(bench)
        bench.check_delivered_once()


@pytest.mark.slow
def test_crash_with_eager_consumer_after_each_operation_delivers_once(
    tmp_path: Path,
) -> None:
    count = _operations(_folder(tmp_path, "count"))
    for point in range(0, count, STRIDE):
        bench = _bench(_folder(tmp_path, f"{point}"))

        def take_then_die(number: int, name: str, at: int = point) -> None:
            bench.take_all()  # noqa: B023  used before the loop goes on
            if number >= at:
                raise Crash(name)

        with pytest.raises(Crash):
            bench.drain(WatchedShare(bench.share(), after=take_then_die))
        bench.drain()
        bench.check_delivered_once()


@pytest.mark.parametrize("mode", [Mode.ENCODE, Mode.DECODE])
def test_single_directions_meet_on_the_wire(tmp_path: Path, mode: Mode) -> None:
    bench = _bench(tmp_path)
    bench.drain(mode=Mode.ENCODE)
    assert sorted(p.name for p in bench.wire.rglob("*.freq")) == [
        "a.txt.freq",
        "b.bin.freq",
        "empty.freq",
    ]
    if mode is Mode.DECODE:
        bench.drain(mode=mode)
        bench.check_delivered_once()


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder
