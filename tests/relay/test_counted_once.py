"""Each item is in one sum, once, whatever fails as it is counted."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from relay_bench import (
    Bench,
    InThread,
    StopAfter,
    WatchedShare,
    files_below,
    policy_with,
    reasons,
)

from paxect_batch.model.errors import ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Item, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run import Decision, Standing
from paxect_batch.model.transfer import Intent, Lot
from paxect_batch.relay import commit, endings
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.recover import Recovery
from paxect_batch.world.ledger import FileLedger

FILES = 5
ONCE = policy_with(attempts=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for number in range(FILES):
        bench.drop(f"file-{number}", b"%d" % number)
    return bench


def failure() -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO))


def waiting(standing: Standing) -> int:
    counted = standing.delivered_files + standing.set_aside_files
    return standing.seen_files - counted - standing.blocked_files


def fails(bench: Bench, share: object, **named: object) -> Standing:
    """Run until the share fails; return what was counted."""
    node = bench.node(share, **named)
    with contextlib.closing(bench.ledger), pytest.raises(ShareError):
        node.run()
    return node.standing


class FailsOnce(WatchedShare):
    """A share that fails the first call of that name which `at` says."""

    def __init__(self, share: object, name: str, at: Callable[[Place], bool]) -> None:
        super().__init__(share)  # type: ignore[arg-type]
        self._name = name
        self._at = at
        self.has_failed = False

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if name != self._name:
            return call

        def fail_once(place: Place, *more: object) -> object:
            if not self.has_failed and self._at(place):
                self.has_failed = True
                raise failure()
            return call(place, *more)  # type: ignore[operator]

        return fail_once


def test_delivered_beside_one_whose_end_fails_count_once(bench: Bench) -> None:
    """All that a lot had delivered counted as waiting as well."""
    (bench.outbox / "file-2").write_bytes(b"a stranger's")
    share = FailsOnce(
        bench.share(), "write", lambda place: place.path.startswith("quarantine/")
    )
    standing = fails(bench, share)
    assert share.has_failed
    assert (standing.delivered_files, waiting(standing)) == (FILES - 1, 1)


def test_containers_that_are_not_gone_on_with_count_as_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were in no sum."""
    decide = Admitter.decide

    def fail(self: Admitter, item: Item, *, own: bool = False) -> Decision:
        if own and item.source.name == "file-3.freq":
            raise failure()
        return decide(self, item, own=own)

    monkeypatch.setattr(Admitter, "decide", fail)
    standing = fails(bench, bench.share())
    assert len(list(bench.wire.glob("*.freq"))) == FILES
    assert (standing.seen_files, waiting(standing)) == (FILES, FILES)


def test_file_that_changed_counts_once_where_the_look_at_it_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(InThread):
        def submit(self, lot: Lot) -> Any:
            for task in lot.tasks:
                (bench.inbox / task.source.name).write_bytes(b"changed meanwhile")
            return super().submit(lot)

    def fail(*_: object, **__: object) -> None:
        raise failure()

    monkeypatch.setattr(endings, "look_at_source", fail)
    share = bench.share()
    standing = fails(bench, share, executor=Late(share), files_max=1)
    assert (standing.seen_files, waiting(standing)) == (FILES, FILES)


def watch(bench: Bench, share: object, **named: object) -> Standing:
    return bench.drain(
        share, watch=True, stop=StopAfter(400), poll_seconds=1.0, **named
    )


@pytest.mark.parametrize(
    ("name", "folder"), [("remove", "attempts/"), ("sync_folder", "quarantine/")]
)
def test_file_that_was_set_aside_counts_whatever_fails_then(
    bench: Bench, name: str, folder: str
) -> None:
    """It was in no sum, no record and no event."""
    (bench.outbox / "file-2").write_bytes(b"a stranger's")

    def is_moved(place: Place) -> bool:
        aside = [path.name for path in files_below(bench.state / "quarantine")]
        return place.path.startswith(folder) and "file-2.freq" in aside

    share = FailsOnce(bench.share(), name, is_moved)
    standing = watch(bench, share, policy=ONCE)
    assert share.has_failed
    assert_one_set_aside(bench, standing)


def fail_append_once(
    monkeypatch: pytest.MonkeyPatch, of: Callable[[Record], bool]
) -> list[bool]:
    """Have the ledger refuse the first records of that kind; empty once it did."""
    left = [True]
    append = FileLedger.append

    def fail_once(self: FileLedger, records: list[Record]) -> None:
        if left and any(map(of, records)):
            left.clear()
            raise failure()
        append(self, records)

    monkeypatch.setattr(FileLedger, "append", fail_once)
    return left


def test_what_was_set_aside_is_recorded_later_where_that_fails_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.outbox / "file-2").write_bytes(b"a stranger's")
    left = fail_append_once(monkeypatch, lambda each: each.fate is Fate.SET_ASIDE)
    standing = watch(bench, bench.share(), policy=ONCE)
    assert not left
    assert_one_set_aside(bench, standing)


def assert_one_set_aside(bench: Bench, standing: Standing) -> None:
    assert (standing.delivered_files, standing.set_aside_files) == (FILES - 1, 1)
    assert standing.seen_files == FILES
    assert len(bench.events.named(Event.SET_ASIDE)) == 1
    fates = [record.fate for record in bench.ledger.all()]
    assert fates.count(Fate.SET_ASIDE) == 1
    assert len(reasons(bench)) == 1


def test_what_a_recovery_settled_before_it_failed_is_told_and_counted_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left behind counted as set aside besides."""

    class Closed(WatchedShare):
        has_failed = False

        def rename_new(self, source: Place, target: Place) -> None:
            if source == Place(Root.INBOX, "file-1"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._share.rename_new(source, target)

        def write(self, place: Place, data: bytes) -> None:
            if place.path.startswith("left/") and not self.has_failed:
                self.has_failed = True
                raise failure()
            self._share.write(place, data)

    fails = [True]
    sweep = Recovery.sweep_crumbs

    def fail_once(self: Recovery, *, beside_work: bool = False) -> None:
        if fails and self.settled:
            fails.clear()
            raise failure()
        sweep(self, beside_work=beside_work)

    monkeypatch.setattr(Recovery, "sweep_crumbs", fail_once)
    standing = watch(bench, Closed(bench.share()), mode=Mode.ENCODE)
    assert not fails
    assert (standing.seen_files, standing.delivered_files) == (FILES, FILES)
    assert standing.recovered == len(bench.events.named(Event.RECOVERED)) > 0


def test_files_whose_commit_failed_count_not_as_some_of_few(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch ended with none delivered."""
    fails = [True]
    write_intent = commit.write_intent

    def fail_once(share: Any, intent: Intent) -> None:
        if fails:
            fails.clear()
            raise failure()
        write_intent(share, intent)

    monkeypatch.setattr(commit, "write_intent", fail_once)
    standing = watch(bench, bench.share(), files_max=2)
    assert not fails
    assert (standing.delivered_files, standing.stopped) == (2, "max-files")


@pytest.mark.parametrize("mode", [Mode.ENCODE, Mode.RELAY])
def test_files_whose_commit_failed_count_once_where_the_run_delivers_them_as_it_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    """They counted as waiting as well."""
    last = Direction.DECODE if mode is Mode.RELAY else Direction.ENCODE
    left = fail_append_once(monkeypatch, lambda each: each.direction is last)
    standing = fails(bench, bench.share(), mode=mode)
    assert not left
    assert (standing.delivered_files, standing.seen_files) == (FILES, FILES)


def test_left_behind_beside_one_whose_end_fails_counts_once(bench: Bench) -> None:
    (bench.wire / "file-2.freq").write_bytes(b"a stranger's")

    class Closed(FailsOnce):
        def rename_new(self, source: Place, target: Place) -> None:
            if source == Place(Root.INBOX, "file-3"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._share.rename_new(source, target)

    share = Closed(
        bench.share(), "write", lambda place: place.path.startswith("quarantine/")
    )
    standing = watch(bench, share, mode=Mode.ENCODE, policy=ONCE)
    assert share.has_failed
    assert standing.seen_files == FILES
