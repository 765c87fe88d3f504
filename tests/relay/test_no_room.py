"""Disks that are full: for one file alone, which waits, or for all that comes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from relay_bench import Bench, SteppedClock, WatchedShare, policy_with

import paxect_core
from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Direction, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.run import Standing
from paxect_batch.model.transfer import Failure
from paxect_batch.rules.retry import (
    NO_ROOM,
    ROOM_SECONDS,
    after_failure,
    is_exhausted,
)
from paxect_batch.work import room

MIB = 1 << 20


class Small(WatchedShare):
    """A disk that has room for so many bytes in a file."""

    free = 20 * MIB

    def free_bytes(self, root: Root) -> int:
        return self.free

    def create(self, place: Place) -> IO[bytes]:
        stream: IO[bytes] = self._share.create(place)
        if place.path.startswith("stage/"):
            return _Limited(stream, self.free)  # type: ignore[return-value]
        return stream


class Filling(WatchedShare):
    """A disk of 24 MiB on which what is staged takes room."""

    least = capacity = 24 * MIB

    def free_bytes(self, root: Root) -> int:
        free = self.capacity - self._staged()
        self.least = min(self.least, free)
        return free

    def create(self, place: Place) -> IO[bytes]:
        stream: IO[bytes] = self._share.create(place)
        if place.path.startswith("stage/"):
            left = self.capacity - self._staged()
            return _Limited(stream, left)  # type: ignore[return-value]
        return stream

    def _staged(self) -> int:
        stages = Path(os.fsdecode(self._share.roots[Root.STATE])) / "stage"
        return sum(each.stat().st_size for each in stages.rglob("*") if each.is_file())


class _Limited:
    number = errno.ENOSPC

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream = stream
        self._left = left

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def __enter__(self) -> _Limited:
        return self

    def __exit__(self, *_problem: object) -> None:
        self._stream.close()

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise OSError(self.number, os.strerror(self.number))
        return self._stream.write(data)


def waiting(standing: Standing) -> int:
    ended = standing.delivered_files + standing.set_aside_files + standing.blocked_files
    return standing.seen_files - ended


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_file_that_is_larger_than_the_room_waits_and_others_go_on(bench: Bench) -> None:
    bench.drop("a-big", os.urandom(MIB) * 30)
    bench.drop("small", b"small")
    policy = policy_with(attempts=1)
    for _ in range(2):
        standing = bench.drain(Small(bench.share()), policy=policy)
        bench.take_all()
        assert [name for name, _ in bench.taken] == ["small"]
        assert (waiting(standing), standing.set_aside_files) == (1, 0)
    assert (bench.inbox / "a-big").exists()


def test_container_that_holds_more_than_the_room_waits_and_others_go_on(
    bench: Bench,
) -> None:
    (bench.wire / "a-big.freq").write_bytes(paxect_core.encode_bytes(bytes(30 * MIB)))
    bench.drop("small", b"small")
    for _ in range(3):
        standing = bench.drain(Small(bench.share()))
        bench.take_all()
        assert [name for name, _ in bench.taken] == ["small"]
        assert waiting(standing) == 1
    reason = next(bench.state.glob("attempts/*")).read_text()
    assert "no-room" in reason
    assert "it takes more than " in reason


@pytest.mark.parametrize("is_container", [False, True])
def test_large_file_leaves_room_to_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, is_container: bool
) -> None:
    monkeypatch.setattr(room, "KEPT_BYTES", 8 * MIB)
    monkeypatch.setattr(room, "STEP_BYTES", 2 * MIB)
    if is_container:
        container = paxect_core.encode_bytes(bytes(30 * MIB))
        (bench.wire / "a-big.freq").write_bytes(container)
    else:
        bench.drop("a-big", os.urandom(MIB) * 30)
    bench.drop("small", b"small")
    share = Filling(bench.share())
    standing = bench.drain(share)
    # It is asked after each 2 MiB, and frames may take another MiB in between.
    assert 5 * MIB <= share.least < 8 * MIB
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["small"]
    assert waiting(standing) == 1
    assert "is left to others" in next(bench.state.glob("attempts/*")).read_text()


def test_large_file_on_a_disk_that_had_little_room_takes_what_there_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "STEP_BYTES", 2 * MIB)
    bench.drop("big", os.urandom(MIB) * 20)
    bench.drain(Filling(bench.share()), mode=Mode.ENCODE)
    bench.drain(mode=Mode.DECODE)
    bench.check_delivered_once()


@pytest.mark.parametrize("free", range(17, 60, 3))
def test_file_that_fits_is_taken_however_little_is_left_then(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    monkeypatch.setattr(room, "STEP_BYTES", MIB)
    monkeypatch.setattr(room, "KEPT_BYTES", 40 * MIB)
    for name in ("a", "b"):
        bench.drop(name, os.urandom(MIB) * 8)
    share = Filling(bench.share())
    share.capacity = free * MIB
    bench.drain(share)
    bench.check_delivered_once()


def test_damaged_container_is_set_aside_and_not_said_to_need_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "STEP_BYTES", 2 * MIB)
    container = paxect_core.encode_bytes(os.urandom(MIB) * 15)
    (bench.wire / "cut.freq").write_bytes(container[:-60])
    lies = container[:-44] + paxect_core.encode_bytes(b"1")[-44:]
    (bench.wire / "lies.freq").write_bytes(lies)
    standing = bench.drain(Filling(bench.share()), policy=policy_with(attempts=1))
    assert standing.set_aside_files == 2


def _refuse(_root: Root) -> int:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


@pytest.mark.parametrize("free_bytes", [_refuse, lambda _root: 0])
def test_large_file_on_a_disk_that_does_not_tell_what_is_free_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, free_bytes: Callable[[Root], int]
) -> None:
    monkeypatch.setattr(room, "STEP_BYTES", 2 * MIB)
    share = WatchedShare(bench.share())
    monkeypatch.setattr(share, "free_bytes", free_bytes, raising=False)
    bench.drop("big", os.urandom(MIB) * 20)
    bench.drain(share)
    bench.check_delivered_once()


def test_file_larger_than_a_file_may_be_waits_and_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Limited, "number", errno.EFBIG)
    bench.drop("a-big", os.urandom(MIB) * 30)
    bench.drop("small", b"small")
    standing = bench.drain(Small(bench.share()), policy=policy_with(attempts=1))
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["small"]
    assert (waiting(standing), standing.set_aside_files) == (1, 0)
    assert "ulimit -f" in next(bench.state.glob("attempts/*")).read_text()


def test_file_is_taken_once_there_is_room(bench: Bench) -> None:
    bench.drop("big", os.urandom(MIB) * 30)
    bench.drain(Small(bench.share()))
    paper = next(bench.state.glob("attempts/*"))
    assert ROOM_SECONDS < 3600
    share = WatchedShare(bench.share())
    late = share.now

    def now() -> float:
        return float(late()) + 2 * ROOM_SECONDS  # type: ignore[operator]

    share.now = now  # type: ignore[attr-defined]
    bench.drain(share)
    assert not paper.exists()
    bench.check_delivered_once()


@pytest.mark.parametrize("free", [0, 15 * MIB])
def test_disk_that_is_full_for_all_is_the_trouble_of_the_share(
    bench: Bench, free: int
) -> None:
    bench.drop("big", os.urandom(MIB) * 30)
    share = Small(bench.share())
    share.free = free
    with pytest.raises(ShareError, match=r"No space left .*\(inbox/big, to wire\)"):
        bench.drain(share)
    assert not list(bench.state.glob("attempts/*"))
    bench.drain()
    bench.check_delivered_once()


def test_what_the_share_failed_with_is_counted_as_waiting(bench: Bench) -> None:
    for number in range(3):
        bench.drop(f"{number}", os.urandom(MIB))
    share = Small(bench.share())
    share.free = 3000
    node = bench.node(share, mode=Mode.ENCODE, clock=SteppedClock())
    with pytest.raises(ShareError):
        node.run()
    bench.ledger.close()
    assert waiting(node.standing) == 3
    assert node.standing.delivered_files == 0


def test_files_that_the_share_failed_beside_are_counted_once(bench: Bench) -> None:
    """One arrived before the disk was full for the other."""
    bench.drop("a", b"small")
    bench.drop("b", os.urandom(100_000))
    share = Small(bench.share())
    share.free = 5000
    node = bench.node(share, mode=Mode.ENCODE, clock=SteppedClock())
    with pytest.raises(ShareError):
        node.run()
    bench.ledger.close()
    assert (node.standing.seen_files, node.standing.delivered_files) == (2, 1)


def test_waits_for_room_are_no_attempts() -> None:
    attempts, policy = None, policy_with(attempts=2)
    for number, code in enumerate((NO_ROOM, NO_ROOM, NO_ROOM, "read-back")):
        attempts = after_failure(
            attempts,
            direction=Direction.ENCODE,
            source=Place(Root.INBOX, "a"),
            identity=Identity(1, 2, 3),
            failure=Failure(float(number), "node", code, "", 1),
            policy=policy,
        )
    assert not is_exhausted(attempts)
