"""What a run that ends before its time leaves is counted, and is no success."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest
from relay_bench import Bench, FreeLocks, InThread, SteppedClock, StopAfter

from paxect_batch.model.errors import Exit
from paxect_batch.model.items import Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import Standing
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay import rest
from paxect_batch.report.audit import waiting
from paxect_batch.seams import Share

FILES = 900
POLICY = Policy(version="2", settle_seconds=0.0, allowed_suffixes=(".txt",))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """One that holds many files, the last of which may not travel."""
    bench = Bench(tmp_path)
    for number in range(FILES):
        bench.drop(f"{number:03}.txt", b"%d" % number)
    bench.drop("zzz.exe", b"blocked")
    return bench


class OneSecondEach(InThread):
    """An executor with which a lot takes a second."""

    def __init__(self, share: Share, clock: SteppedClock) -> None:
        super().__init__(share)
        self._clock = clock

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        self._clock.seconds += 1
        return super().submit(lot)


def cut_off(bench: Bench, **named: object) -> Standing:
    clock = SteppedClock()
    return bench.drain(
        policy=POLICY,
        clock=clock,
        executor=OneSecondEach(bench.share(), clock),
        **{"mode": Mode.ENCODE, **named},
    )


def accounts_for_all(standing: Standing) -> bool:
    """Tell whether every file is in a sum, and what was left says so."""
    return (
        standing.seen_files == FILES + 1
        and standing.blocked_files == 1
        and waiting(standing).files == FILES - standing.delivered_files > 0
    )


@pytest.mark.parametrize("mode", [Mode.ENCODE, Mode.RELAY])
def test_deadline_in_the_middle_accounts_for_every_file(
    bench: Bench, mode: Mode
) -> None:
    standing = cut_off(bench, mode=mode, deadline_seconds=1.5)
    assert standing.stopped == "deadline"
    assert standing.delivered_files > 0
    assert accounts_for_all(standing)


def test_deadline_before_the_first_look_accounts_for_every_file(bench: Bench) -> None:
    standing = cut_off(bench, deadline_seconds=0.0)
    assert (standing.stopped, standing.delivered_files) == ("deadline", 0)
    assert accounts_for_all(standing)


def test_deadline_as_all_is_done_is_a_success(bench: Bench) -> None:
    (bench.inbox / "zzz.exe").unlink()
    cut_off(bench)
    standing = cut_off(bench, deadline_seconds=0.0)
    assert (standing.seen_files, standing.exit_codes) == (0, set())


def test_signal_in_the_middle_accounts_for_every_file(bench: Bench) -> None:
    standing = cut_off(bench, stop=StopAfter(40))
    assert standing.stopped == "signal"
    assert accounts_for_all(standing)


def test_what_other_nodes_hold_is_theirs(bench: Bench) -> None:
    class Held(FreeLocks):
        def seems_taken(self, key: str) -> bool:
            return True

    standing = cut_off(bench, locks=Held(), deadline_seconds=0.0)
    assert (standing.seen_files, standing.elsewhere_files) == (0, FILES + 1)
    assert standing.elsewhere_bytes == sum(map(len, bench.dropped.values()))


def test_counting_ends_in_time_and_says_that_it_did(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SteppedClock()

    class Slow:
        def __init__(self) -> None:
            self._share = bench.share()

        def __getattr__(self, name: str) -> object:
            return getattr(self._share, name)

        def entries(self, folder: Place) -> Iterator[object]:
            for entry in self._share.entries(folder):
                clock.seconds += 0.1
                yield entry

    standing = bench.drain(Slow(), policy=POLICY, clock=clock, deadline_seconds=0.0)
    assert 0 < standing.seen_files < 2 * rest.COUNT_SECONDS_MAX / 0.1
    assert standing.exit_codes == {Exit.UNFINISHED}
    assert "not all that is left was counted" in standing.problems[-1]


def test_share_that_fails_meanwhile_fails_no_run_that_was_told_to_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_share: object, root: Root) -> Iterator[object]:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(root))

    monkeypatch.setattr(rest, "scan", fail)
    standing = cut_off(bench, stop=StopAfter(40))
    assert standing.stopped == "signal"
    assert os.strerror(errno.EIO) in standing.problems[-1]


def test_watch_that_is_told_to_stop_accounts_for_every_file(bench: Bench) -> None:
    policy = msgspec.structs.replace(POLICY, settle_seconds=3600.0)
    standing = bench.drain(policy=policy, watch=True, stop=StopAfter(3))
    assert standing.stopped == "signal"
    assert accounts_for_all(standing)
