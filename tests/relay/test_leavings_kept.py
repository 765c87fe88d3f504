"""What is left behind is told durably, and forgotten durably; and every node hears."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from fakes.locks import FakeClaim, FakeLocks, Register
from relay_bench import Bench, Crash, WatchedShare, files_below

from paxect_batch.model.items import Direction, Facts, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.leavings import forget_left

STAYS = Place(Root.INBOX, "sub/a.txt")


class Denying(WatchedShare):
    """One file lets nobody move it."""

    def rename_new(self, source: Place, target: Place) -> None:
        if source == STAYS:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(source))
        self._share.rename_new(source, target)


class Noted(WatchedShare):
    """Tells in which order folders were made durable, and papers removed."""

    def __init__(self, share: object) -> None:
        super().__init__(share)  # type: ignore[arg-type]
        self.steps: list[str] = []

    def sync_folder(self, folder: Place) -> None:
        self.steps.append(f"sync {folder}")
        self._share.sync_folder(folder)

    def remove(self, place: Place) -> bool:
        if place.path.startswith("left/"):
            self.steps.append("forget")
        return bool(self._share.remove(place))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.drop(STAYS.path, b"data")
    bench.drain(Denying(bench.share()))
    assert len(files_below(bench.state / "left")) == 1
    return bench


def test_source_is_durably_gone_before_it_is_forgotten_that_it_arrived(
    bench: Bench,
) -> None:
    """Back after a power cut, it would arrive again."""
    share = Noted(bench.share())
    bench.drain(share)
    assert files_below(bench.state / "left") == []
    assert share.steps.index("sync inbox/sub") < share.steps.index("forget")


def test_what_may_be_sent_once_more_is_forgotten_durably(bench: Bench) -> None:
    """Were the paper back after a power cut, what came again would pass for sent."""
    share = Noted(bench.share())
    forget_left(share, Direction.ENCODE, STAYS)  # type: ignore[arg-type]
    assert share.steps == ["forget", "sync .paxect/left"]


def test_delivered_source_that_nobody_may_look_at_when_that_is_found_is_sent_no_more(
    tmp_path: Path,
) -> None:
    """Not to be seen is not gone: it would arrive again once it can be seen."""
    bench = Bench(tmp_path)
    bench.drop(STAYS.path, b"data")

    class Dies(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if source == STAYS:
                raise Crash
            self._share.rename_new(source, target)

    class Hidden(Denying):
        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            if place == STAYS:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return self._share.look(place, closely=closely)  # type: ignore[no-any-return]

    with pytest.raises(Crash):
        bench.drain(Dies(bench.share()), mode=Mode.ENCODE)
    bench.drain(Hidden(bench.share()), mode=Mode.ENCODE)
    for path in files_below(bench.wire):
        path.unlink()
    bench.drain(mode=Mode.ENCODE)
    assert files_below(bench.wire) == []
    assert files_below(bench.inbox) == []


def test_what_may_be_sent_once_more_by_the_time_of_its_claim_is_not_taken_away(
    bench: Bench,
) -> None:
    """It would be removed and never arrive."""
    papers = files_below(bench.state / "left")

    class Forgotten(FakeLocks):
        def claim(self, key: str) -> FakeClaim | None:
            for paper in papers:
                paper.unlink(missing_ok=True)
            return super().claim(key)

    assert files_below(bench.wire) == []
    bench.drain(locks=Forgotten(Register()), mode=Mode.ENCODE)
    assert len(files_below(bench.wire)) == 2
    assert files_below(bench.inbox) == []
