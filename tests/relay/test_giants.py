"""Files that take long: what comes, or lies, beside them does not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from relay_bench import Bench, SteppedClock, files_below

from paxect_batch.model.items import Mode
from paxect_batch.model.places import Root
from paxect_batch.model.run import Standing
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay import gather, rounds
from paxect_batch.rules import plan
from paxect_batch.seams import Share
from paxect_batch.work.lots import do_lot

PART = 1000
"""What one worker may have in flight."""
GIANT = b"g" * 20 * PART
LOOKS_MAX = 3000


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(plan, "IN_FLIGHT_BYTES_MAX", PART)
    for module in (plan, gather):
        monkeypatch.setattr(module, "LOT_BYTES_MAX", PART // 2)
    monkeypatch.setattr(rounds, "BIG_BYTES_MIN", len(GIANT))
    return Bench(tmp_path)


class Slow:
    """An executor that keeps giants until they are let go, and does the rest at once."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self.kept: dict[str, Callable[[], None]] = {}
        self.kept_at_once = 0

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()

        def work() -> None:
            future.set_result(do_lot(self._share, lot))

        if lot.size < len(GIANT):
            work()
        else:
            self.kept[lot.tasks[0].source.name] = work
            self.kept_at_once = max(self.kept_at_once, len(self.kept))
        return future

    def let_go(self) -> None:
        """Have what is kept done."""
        for name in list(self.kept):
            self.kept.pop(name)()

    def stop(self) -> None:
        pass


class Time:
    """Goes on whenever the node looks whether to stop; acts, and never stops it."""

    now = False

    def __init__(self, clock: SteppedClock, act: Callable[[], None]) -> None:
        self._clock = clock
        self._act = act
        self._looks = 0

    @property
    def requested(self) -> bool:
        self._looks += 1
        assert self._looks < LOOKS_MAX, "it waits for ever"
        self._clock.seconds += 0.1
        self._act()
        return False


def drain(
    bench: Bench, slow: Slow, act: Callable[[float], None], *, workers: int = 2
) -> Standing:
    clock = SteppedClock()
    return bench.drain(
        slow._share,
        mode=Mode.ENCODE,
        clock=clock,
        stop=Time(clock, lambda: act(clock.seconds)),
        executor=slow,
        workers=workers,
    )


def arrived(bench: Bench) -> set[str]:
    names = (path.name for path in files_below(bench.wire))
    return {name.removesuffix(".freq") for name in names if name.endswith(".freq")}


def test_file_that_comes_while_a_giant_is_out_arrives_before_it(bench: Bench) -> None:
    bench.drop("giant", GIANT)
    slow = Slow(bench.share())
    before: list[set[str]] = []

    def act(seconds: float) -> None:
        if slow.kept and "small" not in bench.dropped:
            bench.drop("small", b"small")
        if slow.kept and ("small" in arrived(bench) or seconds > 100):
            before.append(arrived(bench))
            slow.let_go()

    standing = drain(bench, slow, act)
    assert before == [{"small"}]
    assert arrived(bench) == {"small", "giant"}
    assert (standing.seen_files, standing.delivered_files) == (2, 2)


def test_giants_go_one_by_one_with_two_workers_and_small_files_go_beside(
    bench: Bench,
) -> None:
    for name in ("giant1", "giant2", "giant3"):
        bench.drop(name, GIANT)
    for number in range(5):
        bench.drop(f"small{number}", str(number).encode())
    small = {f"small{number}" for number in range(5)}
    slow = Slow(bench.share())
    before: list[set[str]] = []

    def act(seconds: float) -> None:
        if slow.kept and (small <= arrived(bench) or seconds > 100):
            before.append(arrived(bench))
            slow.let_go()

    standing = drain(bench, slow, act)
    assert slow.kept_at_once == 1
    assert before[0] == small
    assert arrived(bench) == set(bench.dropped)
    assert (standing.seen_files, standing.delivered_files) == (8, 8)


def test_giant_that_was_held_back_begins_before_all_small_files_are_done(
    bench: Bench,
) -> None:
    for name in ("giant1", "giant2"):
        bench.drop(name, GIANT)
    for number in range(400):
        bench.drop(f"small{number:03}", bytes(PART // 4))
    slow = Slow(bench.share())
    before: dict[str, int] = {}

    def act(seconds: float) -> None:
        for name in slow.kept:
            before.setdefault(name, len(arrived(bench)))
        slow.let_go()

    standing = drain(bench, slow, act)
    assert sorted(before) == ["giant1", "giant2"]
    assert max(before.values()) < 200
    assert (standing.seen_files, standing.delivered_files) == (402, 402)


@pytest.mark.parametrize(
    ("workers", "free", "at_once"),
    [(8, 10**9, 3), (3, 10**9, 2), (8, 0, 1), (8, len(GIANT) * 2, 1)],
)
def test_giants_are_out_together_where_there_are_workers_and_room_for_all(
    bench: Bench, workers: int, free: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("giant1", "giant2", "giant3"):
        bench.drop(name, GIANT)
    share = bench.share()

    def free_bytes(root: Root) -> int:
        assert root is Root.WIRE
        return free

    monkeypatch.setattr(share, "free_bytes", free_bytes)
    slow = Slow(share)
    seen: list[float] = []

    def act(seconds: float) -> None:
        # Until nothing more comes beside them.
        if not slow.kept or len(slow.kept) != len(seen):
            seen[:] = [seconds] * len(slow.kept)
        elif seconds > seen[0] + 10:
            slow.let_go()

    standing = drain(bench, slow, act, workers=workers)
    assert slow.kept_at_once == at_once
    assert arrived(bench) == set(bench.dropped)
    assert standing.delivered_files == 3


@pytest.mark.parametrize("seconds_out", [2.0, 20.0])
def test_claim_that_went_to_another_node_while_a_giant_was_out_is_noticed(
    bench: Bench, seconds_out: float
) -> None:
    """Whoever had it publishes it; both did."""
    bench.drop("giant", GIANT)
    slow, register = Slow(bench.share()), Register()
    own, other = FakeLocks(register), FakeLocks(register)
    since: list[float] = []
    arrived_then: list[set[str]] = []

    def act(seconds: float) -> None:
        if slow.kept and not since:
            since.append(seconds)
        if not since or seconds - since[0] < seconds_out:
            return
        if len(since) == 1:
            since.append(seconds)
            (key,) = register.claims
            register.claims[key] = other, "run"
            slow.let_go()
        elif not arrived_then and seconds - since[1] > 1.0:
            arrived_then.append(arrived(bench))
            assert len(register.claims) == 1
            register.claims.clear()
        else:
            slow.let_go()

    clock = SteppedClock()
    bench.drain(
        slow._share,
        mode=Mode.ENCODE,
        clock=clock,
        locks=own,
        wait=True,
        stop=Time(clock, lambda: act(clock.seconds)),
        executor=slow,
        workers=2,
    )
    is_asked = seconds_out > 5.0
    assert arrived_then == [set() if is_asked else {"giant"}]
    assert arrived(bench) == {"giant"}
    assert files_below(bench.state / "stage") == []


def test_look_that_was_in_vain_is_followed_by_a_longer_rest(bench: Bench) -> None:
    bench.drop("giant", GIANT)
    listed: list[float] = []
    clock = SteppedClock()

    class Listing:
        def __init__(self) -> None:
            self._share = bench.share()

        def __getattr__(self, name: str) -> object:
            return getattr(self._share, name)

        def entries(self, folder: object) -> object:
            if folder.root is Root.INBOX:
                listed.append(clock.seconds)
                clock.seconds += 3.0
            return self._share.entries(folder)

    slow = Slow(Listing())

    def act() -> None:
        if clock.seconds > 300:
            slow.let_go()

    bench.drain(
        slow._share,
        mode=Mode.ENCODE,
        clock=clock,
        stop=Time(clock, act),
        executor=slow,
    )
    looks = [at for at in listed if at < 300]
    assert len(looks) > 5
    # That of the begin, and the one that took something, were not in vain.
    rests = [later - at - 3.0 for at, later in pairwise(looks[2:])]
    assert min(rests) >= 30.0


@pytest.mark.parametrize("files_max", [3, 7, 20])
def test_run_of_few_files_takes_no_more_where_giants_wait_for_each_other(
    bench: Bench, files_max: int
) -> None:
    for name in ("giant1", "giant2"):
        bench.drop(name, GIANT)
    for number in range(100):
        bench.drop(f"small{number:03}", bytes(PART // 4))
    slow, clock = Slow(bench.share()), SteppedClock()
    standing = bench.drain(
        mode=Mode.ENCODE,
        clock=clock,
        stop=Time(clock, slow.let_go),
        executor=slow,
        workers=2,
        files_max=files_max,
    )
    assert (standing.delivered_files, standing.stopped) == (files_max, "max-files")


def test_giant_that_is_out_is_not_taken_for_another_nodes(bench: Bench) -> None:
    bench.drop("giant", GIANT)
    slow, clock = Slow(bench.share()), SteppedClock()
    elsewhere: set[int] = set()

    def act() -> None:
        elsewhere.add(node.standing.elsewhere_files)
        if clock.seconds > 60.0:
            slow.let_go()

    node = bench.node(
        slow._share,
        mode=Mode.ENCODE,
        clock=clock,
        locks=FakeLocks(Register()),
        stop=Time(clock, act),
        executor=slow,
    )
    assert node.run().delivered_files == 1
    bench.ledger.close()
    assert elsewhere == {0}


def test_giant_that_waits_for_another_is_seen_meanwhile(bench: Bench) -> None:
    for name in ("giant1", "giant2"):
        bench.drop(name, GIANT)
    slow, clock = Slow(bench.share()), SteppedClock()
    waiting: list[int] = []

    def act() -> None:
        if 30.0 < clock.seconds < 31.0:
            waiting.append(node.standing.seen_files)
        if clock.seconds > 60.0:
            slow.let_go()

    node = bench.node(
        slow._share,
        mode=Mode.ENCODE,
        clock=clock,
        stop=Time(clock, act),
        executor=slow,
        workers=2,
    )
    assert node.run().delivered_files == 2
    bench.ledger.close()
    assert max(waiting) == 1


def test_stage_of_a_giant_that_is_another_nodes_by_now_does_not_stay(
    bench: Bench,
) -> None:
    """A watch may last for months, and the disk has no room for it twice."""
    bench.drop("giant", GIANT)
    slow, register, clock = Slow(bench.share()), Register(), SteppedClock()
    other = FakeLocks(register)
    staged: list[int] = []

    def act() -> None:
        if clock.seconds > 30.0 and slow.kept and not staged:
            (key,) = register.claims
            register.claims[key] = other, "run"
            slow.let_go()
            staged.append(len(files_below(bench.state / "stage")))
        elif clock.seconds > 60.0:
            staged.append(len(files_below(bench.state / "stage")))
            register.claims.clear()
            slow.let_go()

    bench.drain(
        slow._share,
        mode=Mode.ENCODE,
        clock=clock,
        locks=FakeLocks(register),
        wait=True,
        stop=Time(clock, act),
        executor=slow,
        workers=2,
    )
    assert staged[0] > 0
    assert staged[1] == 0
    assert arrived(bench) == {"giant"}
