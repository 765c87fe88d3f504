"""Lots: one item's trouble stays its own, also when files are made durable together."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest
from relay_bench import Bench, WatchedShare

import paxect_core
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Lot, Task
from paxect_batch.work.lots import SYNCED_TOGETHER_MAX, do_lot
from paxect_batch.world.share import LocalShare

FEW = 5


class Forgetful(LocalShare):
    """A share that loses one of the files that it was to make durable, once."""

    lost = -1
    asked: list[int]

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        told = list(super().sync_all(streams))
        self.asked.append(len(streams))
        if 0 <= self.lost < len(told):
            told[self.lost] = OSError(errno.EIO, os.strerror(errno.EIO))
            self.lost = -1
        return tuple(told)


def _share(bench: Bench) -> Forgetful:
    share = Forgetful(bench.share().roots)
    share.asked = []
    return share


@pytest.mark.parametrize("lost", [0, 1, 2 * FEW - 1])
def test_file_that_was_not_made_durable_is_staged_anew_and_others_go_on(
    tmp_path: Path, lost: int
) -> None:
    bench = Bench(tmp_path)
    for number in range(FEW):
        bench.drop(f"{number}", b"data" * number)
    share = _share(bench)
    share.lost = lost
    policy = Policy(version="2", settle_seconds=0.0, backoff_seconds=0.0, attempts=3)
    standing = bench.drain(share, policy=policy)
    assert share.lost == -1
    # Containers and sidecars, one of these pairs again, and the files themselves.
    assert share.asked[0] == 2 * FEW
    assert sum(share.asked) == 2 * FEW + 2 + FEW
    assert [line[3] for line in bench.events.lines if "staging" in line[3]] == [
        "staging gave Input/output error"
    ]
    assert standing.set_aside_files == 0
    bench.check_delivered_once()


def test_no_more_files_are_open_than_are_made_durable_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for number in range(SYNCED_TOGETHER_MAX + 2):
        bench.drop(f"{number}", b"%d" % number)
    share = _share(bench)
    bench.drain(share)
    # Container and sidecar, then the file itself.
    assert share.asked == [2 * SYNCED_TOGETHER_MAX, 4, SYNCED_TOGETHER_MAX, 2]
    bench.check_delivered_once()


@pytest.mark.parametrize(
    ("direction", "size", "packed"),
    [
        (Direction.ENCODE, 5000, [(5000, 2), (5000, 1)]),
        (Direction.ENCODE, 10**9, [(8000, 2), (8000, 1)]),
        (Direction.DECODE, 5000, [(5000, 1)]),
        (Direction.ENCODE, 0, [(0, 2), (0, 1)]),
    ],
)
def test_trial_packs_as_much_at_once_as_its_task_and_touches_no_share(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    direction: Direction,
    size: int,
    packed: list[tuple[int, int]],
) -> None:
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "no number")
    settings = paxect_core.Settings(level=7, channels=3, frame_bytes=1000)
    asked: list[tuple[int, int]] = []
    encode = paxect_core.encode

    def watched(*words: Any, threads: int = 1) -> paxect_core.EncodeResult:
        assert words[2] == settings
        result = encode(*words, threads=threads)
        asked.append((result.raw_bytes, threads))
        return result

    monkeypatch.setattr(paxect_core, "encode", watched)
    task = Task(
        direction,
        Place(Root.INBOX, "not-there"),
        Identity(size, 2, 3),
        Place(Root.STATE, "stage"),
        Place(Root.STATE, "sidecar"),
        level=settings.level,
        channels=settings.channels,
        frame_bytes=settings.frame_bytes,
        threads=2,
        read_back=True,
        twice=False,
    )
    touched: list[str] = []
    share = WatchedShare(
        Bench(tmp_path).share(), before=lambda _number, name: touched.append(name)
    )
    assert do_lot(share, Lot(1, (), trial=task)) == ()
    assert asked == packed
    assert touched == []
