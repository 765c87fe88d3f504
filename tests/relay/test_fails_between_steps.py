"""A share that fails once between two steps: nothing is held or counted twice."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from relay_bench import (
    Bench,
    FreeLocks,
    SteppedClock,
    StopAfter,
    WatchedShare,
    files_below,
    policy_with,
)

from paxect_batch.model.errors import RunOver, ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Item, Mode
from paxect_batch.model.places import Place
from paxect_batch.model.run import Decision, Standing
from paxect_batch.model.transfer import Intent, Outcome, Task
from paxect_batch.relay import commit, state
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.taking import Taken, Taker, _Claims
from paxect_batch.seams import Share


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def watch(bench: Bench, *, looks: int) -> Standing:
    """Watch for so long, with the locks that a real run has."""
    return bench.drain(
        locks=FakeLocks(Register()),
        watch=True,
        stop=StopAfter(looks),
        clock=SteppedClock(),
        poll_seconds=1.0,
    )


def test_claims_are_given_back_where_the_share_fails_after_they_were_had(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch kept them as long as it ran, and took what they stand for never again."""
    for number in range(16):
        bench.drop(f"file-{number:02}", b"%d" % number)
    fails = [True]
    rests = Taker._rests

    def fail_once(self: Taker, had: Taken) -> bool:
        if had.item.source.name == "file-07" and fails:
            fails.clear()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rests(self, had)

    monkeypatch.setattr(Taker, "_rests", fail_once)
    standing = watch(bench, looks=600)
    assert not fails
    assert standing.delivered_files == 16
    bench.check_delivered_once()


def test_claims_are_given_back_where_the_share_fails_as_containers_are_gone_on_with(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(16):
        bench.drop(f"file-{number:02}", b"%d" % number)
    decided = 0
    decide = Admitter.decide

    def fail_once(self: Admitter, item: Item, *, own: bool = False) -> Decision:
        nonlocal decided
        decided += own
        if own and decided == 8:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return decide(self, item, own=own)

    monkeypatch.setattr(Admitter, "decide", fail_once)
    standing = watch(bench, looks=3000)
    assert decided >= 8
    assert standing.delivered_files == 16
    bench.check_delivered_once()


def test_item_that_was_blocked_counts_once_where_the_commit_of_others_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("blocked", "other"):
        bench.drop(name, name.encode())

    def reason(_self: Admitter, task: Task, _outcome: Outcome) -> str:
        return "untrusted" if task.source.name == "blocked" else ""

    def fail(_share: Share, _intent: Intent) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Admitter, "reason_once_read", reason)
    monkeypatch.setattr(commit, "write_intent", fail)
    node = bench.node(mode=Mode.ENCODE)
    with pytest.raises(ShareError):
        node.run()
    assert (node.standing.seen_files, node.standing.blocked_files) == (2, 1)


def test_nothing_is_promised_that_is_not_durably_staged(bench: Bench) -> None:
    """A power cut would leave the promise, and what it names would pass for sent."""

    class Unsynced(WatchedShare):
        def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
            if all(folder.path.startswith("stage/") for folder in folders):
                error = OSError(errno.EIO, os.strerror(errno.EIO))
                return tuple(error for _ in folders)
            told: tuple[OSError | None, ...] = self._share.sync_folders(folders)
            return told

    bench.drop("a.txt", b"data")
    with pytest.raises(ShareError):
        bench.drain(Unsynced(bench.share()))
    assert files_below(bench.state / "intents") == []
    assert files_below(bench.wire) == []
    bench.drain()
    bench.check_delivered_once()


def test_share_that_does_not_tell_whose_a_run_is_has_not_ended_it(
    bench: Bench,
) -> None:
    class Unknown(FreeLocks):
        def stands(self) -> bool:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    bench.drop("a.txt", b"data")
    with pytest.raises(ShareError) as met:
        bench.drain(locks=Unknown())
    assert not isinstance(met.value, RunOver)
    assert bench.events.named(Event.LEASE_LOST) == []


def test_promise_is_durably_gone_before_what_was_withdrawn_is_dropped(
    bench: Bench,
) -> None:
    """Were it back after a power cut, and that not, it would pass for published."""
    steps: list[str] = []

    class Noted(WatchedShare):
        def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
            steps.extend(f"sync {folder.path.split('/')[0]}" for folder in folders)
            told: tuple[OSError | None, ...] = self._share.sync_folders(folders)
            return told

        def remove(self, place: Place) -> bool:
            if place.name.endswith(state.WITHDRAWN_SUFFIX):
                steps.append("drop")
            elif place.path.startswith("intents/"):
                steps.append("forget")
            return bool(self._share.remove(place))

    bench.drop("a.txt", b"data")
    (bench.wire / "a.txt.freq").write_bytes(b"somebody else's")
    bench.drain(Noted(bench.share()), mode=Mode.ENCODE, policy=policy_with(attempts=1))
    forgotten = steps.index("forget")
    assert steps[forgotten : forgotten + 3] == ["forget", "sync intents", "drop"]


def test_claims_that_are_one_stand_only_together() -> None:
    register = Register()
    locks, other = FakeLocks(register), FakeLocks(register)
    claims = _Claims([locks.claim("one"), locks.claim("two")])  # type: ignore[list-item]
    assert claims.stands()
    register.claims["two"] = other, "run"
    assert not claims.stands()
