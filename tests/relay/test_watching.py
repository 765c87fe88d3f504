"""Runs that watch: what comes later, what changes meanwhile, a share in trouble."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest
from fakes.bell import FakeBell
from fakes.clock import FakeClock
from fakes.locks import FakeLocks, Register
from relay_bench import (
    FAST,
    Bench,
    InThread,
    SteppedClock,
    StopAfter,
    WatchedShare,
    policy_with,
)

from paxect_batch.model.errors import ConfigError, NoWorkers
from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Naming, OnDone, Policy
from paxect_batch.model.records import Record
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.company import SWEEP_SECONDS
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.share import LocalShare
from paxect_batch.world.tree_descriptors import DescriptorTree


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_watch_takes_what_is_dropped_later_until_told_to_stop(bench: Bench) -> None:
    def drop(seen: int) -> None:
        if seen == 5:
            bench.drop("late", b"data")

    node = bench.node(watch=True, stop=StopAfter(60, drop))
    standing = node.run()
    bench.ledger.close()
    assert standing.stopped == "signal"
    bench.check_delivered_once()


def test_watch_tries_again_what_failed_though_it_hears_nothing(bench: Bench) -> None:
    clock = FakeClock()
    (bench.wire / "damaged.freq").write_bytes(b"no container")
    tried: list[float] = []

    def be_slow(number: int, name: str) -> None:
        if name == "open_source":
            tried.append(clock.monotonic())
            clock.advance(5.0)

    node = bench.node(
        WatchedShare(bench.share(), before=be_slow),
        clock=clock,
        bell=FakeBell(clock),
        watch=True,
        poll_seconds=10.0,
        stop=StopAfter(200),
    )
    standing = node.run()
    bench.ledger.close()
    assert standing.set_aside_files == 1
    assert len(tried) == 3
    assert tried[-1] - tried[0] < 60.0


def test_watch_waits_for_workers_where_the_machine_has_none_left(bench: Bench) -> None:
    """It ended with 75, and its sums lacked what the workers were to have."""

    class Short(InThread):
        tries = 3

        def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
            if not self.tries:
                return super().submit(lot)
            self.tries -= 1
            future: Future[tuple[Outcome, ...]] = Future()
            future.set_exception(NoWorkers("no worker process comes up"))
            return future

    bench.drop("a", b"data")
    executor = Short(bench.share())
    node = bench.node(watch=True, executor=executor, stop=StopAfter(200))
    standing = node.run()
    bench.ledger.close()
    troubles = [line[3] for line in bench.events.named(Event.SHARE_TROUBLE)]
    assert troubles == ["no worker process comes up"] * 3
    assert (standing.seen_files, standing.delivered_files) == (1, 1)
    bench.check_delivered_once()


def test_drain_without_workers_accounts_for_what_they_were_to_have(
    bench: Bench,
) -> None:
    class Never(InThread):
        def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
            future: Future[tuple[Outcome, ...]] = Future()
            future.set_exception(NoWorkers("no worker process comes up"))
            return future

    bench.drop("a", b"data")
    node = bench.node(executor=Never(bench.share()))
    with pytest.raises(NoWorkers):
        node.run()
    bench.ledger.close()
    assert node.account.standing.seen_files == 1


def test_watch_pauses_while_the_share_is_away_and_goes_on_when_it_is_back(
    bench: Bench,
) -> None:
    bench.drop("a", b"data")
    troubles = [errno.ESTALE, errno.EIO, errno.ENOSPC]

    def fail(number: int, name: str) -> None:
        if name == "create" and troubles:
            raise OSError(troubles.pop(), "trouble")

    node = bench.node(
        WatchedShare(bench.share(), before=fail), watch=True, stop=StopAfter(400)
    )
    node.run()
    bench.ledger.close()
    assert troubles == []
    told = [line[3] for line in bench.events.named(Event.SHARE_TROUBLE)]
    assert told
    assert all(text.endswith(", and the run goes on") for text in told)
    assert bench.events.named(Event.SHARE_BACK)
    bench.check_delivered_once()


def test_watch_finishes_what_the_share_failed_with_however_often_it_fails(
    bench: Bench,
) -> None:
    bench.drop("a", b"data")
    troubles = [errno.EIO] * 5

    class Failing(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if source.root is Root.INBOX and troubles:
                raise OSError(troubles.pop(), "trouble")
            self._share.rename_new(source, target)

    node = bench.node(Failing(bench.share()), watch=True, stop=StopAfter(400))
    standing = node.run()
    bench.ledger.close()
    assert troubles == []
    assert len(bench.events.named(Event.SHARE_TROUBLE)) == 5
    assert len(bench.events.named(Event.SHARE_BACK)) == 1
    bench.check_delivered_once()
    assert standing.delivered_files == 1


def test_share_is_told_to_be_back_once_it_is_there(bench: Bench) -> None:
    """An empty mount point has nothing that is half done."""
    bench.drop("a", b"data")
    away, clock = bench.folder / "away", SteppedClock()
    roots = (bench.inbox, bench.wire, bench.outbox, bench.state)

    def unmount() -> None:
        away.mkdir()
        for path in roots:
            path.rename(away / path.name)

    def mount() -> None:
        for path in roots:
            (away / path.name).rename(path)

    class Mounted(WatchedShare):
        def entries(self, folder: Place) -> Iterator[Entry]:
            has_begun = bool(bench.events.named(Event.HANDSHAKE_NONE))
            if has_begun and folder.root is Root.INBOX and clock.seconds < 1.0:
                unmount()
                clock.seconds = 1.0
                raise OSError(errno.ESTALE, "gone")
            yield from self._share.entries(folder)

    def remount(seen: int) -> None:
        if clock.seconds > 20.0 and away.exists():
            mount()
            away.rmdir()

    paths = bench.share().roots
    share = LocalShare(paths, tree=DescriptorTree(paths, trust_seconds=0.0))
    node = bench.node(
        Mounted(share), watch=True, clock=clock, stop=StopAfter(400, remount)
    )
    node.run()
    bench.ledger.close()
    assert len(bench.events.named(Event.SHARE_TROUBLE)) > 3
    assert len(bench.events.named(Event.SHARE_BACK)) == 1
    bench.check_delivered_once()


def test_policy_that_changes_while_watching_is_used_or_refused(bench: Bench) -> None:
    answers: list[Policy | ConfigError] = [
        FAST,
        ConfigError("policy.toml: levle is unknown"),
        msgspec.structs.replace(FAST, allowed_suffixes=(".txt",)),
    ]
    last = answers[-1]

    def policy() -> Policy:
        answer = answers.pop(0) if answers else last
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    def drop(seen: int) -> None:
        if seen == 40:
            bench.drop("b.exe", b"data")

    node = bench.node(watch=True, stop=StopAfter(90, drop), read_policy=policy)
    standing = node.run()
    bench.ledger.close()
    assert bench.events.named(Event.POLICY_REFUSED)
    assert bench.events.named(Event.POLICY_CHANGED)
    assert standing.blocked_files == 1


def test_naming_that_changes_while_watching_is_refused(bench: Bench) -> None:
    stem = msgspec.structs.replace(FAST, naming=Naming.STEM)
    answers = [FAST, FAST]

    def drop(seen: int) -> None:
        if seen == 40:
            bench.drop("a.txt", b"data")

    node = bench.node(
        watch=True,
        stop=StopAfter(90, drop),
        read_policy=lambda: answers.pop() if answers else stem,
    )
    node.run()
    bench.ledger.close()
    assert bench.events.named(Event.POLICY_REFUSED)
    bench.check_delivered_once()


def test_share_that_fails_to_tell_what_others_did_leaves_no_claim(
    bench: Bench,
) -> None:
    policy = msgspec.structs.replace(FAST, on_done=OnDone.KEEP)
    register = Register()
    bench.drop("a", b"data")
    held: list[int] = []

    class Failing:
        """A ledger that cannot be followed while anything is claimed."""

        def __init__(self, ledger: FileLedger) -> None:
            self._ledger = ledger

        def __getattr__(self, name: str) -> object:
            return getattr(self._ledger, name)

        def news(self, living: Collection[str], **how: bool) -> Iterator[Record]:
            held.append(len(register.claims))
            if register.claims and len(held) < 10:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return self._ledger.news(living, **how)

    node = bench.node(
        policy=policy, locks=FakeLocks(register), watch=True, stop=StopAfter(300)
    )
    node._ledger = Failing(bench.ledger)
    node.run()
    bench.ledger.close()
    bench.take_all()
    assert sorted(bench.taken) == sorted(bench.dropped.items())
    assert max(held) > 0


def test_watch_sweeps_what_others_leave_though_it_never_ends(bench: Bench) -> None:
    """Histories of files that were taken away lay there until a run began."""
    clock = FakeClock()
    crumb = bench.state / "over" / ".paxect-0123456789abcdef.tmp"
    histories: list[list[str]] = []

    def meddle(seen: int) -> None:
        if seen == 5:
            (bench.wire / "damaged.freq").write_bytes(b"no container")
        if seen == 60:
            (bench.wire / "damaged.freq").unlink()
            crumb.parent.mkdir(exist_ok=True)
            crumb.touch()
            os.utime(crumb, (1, 1))
        if seen in (60, 100, 200):
            histories.append(os.listdir(bench.state / "attempts"))
        if seen == 100:
            assert crumb.exists()
            clock.advance(SWEEP_SECONDS)

    node = bench.node(
        clock=clock,
        watch=True,
        poll_seconds=1.0,
        policy=policy_with(backoff_seconds=4 * SWEEP_SECONDS),
        stop=StopAfter(201, meddle),
    )
    node.run()
    bench.ledger.close()
    assert [len(names) for names in histories] == [1, 1, 0]
    assert not crumb.exists()


def test_watch_goes_on_where_what_it_sweeps_is_barred(bench: Bench) -> None:
    """From then on it failed whenever it looked around."""
    clock = SteppedClock()
    (bench.state / "batches" / "another").mkdir(parents=True)
    barred: list[float] = []
    hours: list[float] = []

    class Barred(WatchedShare):
        def entries(self, folder: Place) -> Iterator[Entry]:
            if folder.path == "batches/another" and clock.seconds > 100.0:
                barred.append(clock.seconds)
                raise PermissionError(errno.EACCES, "barred", str(folder))
            return self._share.entries(folder)

    def drop(_looks: int) -> None:
        if barred and not bench.dropped:
            bench.drop("late", b"data")
            hours.append(clock.seconds / SWEEP_SECONDS)

    standing = bench.drain(
        Barred(bench.share()),
        clock=clock,
        watch=True,
        poll_seconds=60.0,
        stop=StopAfter(20000, drop),
    )
    assert 1.0 < hours[0] < clock.seconds / SWEEP_SECONDS - 0.05
    assert standing.delivered_files == 1
    assert not bench.events.named(Event.SHARE_TROUBLE)
