"""A run keeps to its pace, which changes how much is in flight and never a byte."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.gauges import FakeGauges
from relay_bench import (
    Bench,
    Events,
    FreeLocks,
    InThread,
    SteppedClock,
    WatchedShare,
    files_below,
)

from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.pace import Asked, Cause, Disk, PaceStep, Quiet
from paxect_batch.model.transfer import Lot
from paxect_batch.relay.dispatch import FILES_MAX
from paxect_batch.relay.waiting import PAUSE_PATIENCE_SECONDS
from paxect_batch.rules.pace import replay

MIB = 1 << 20


class TickingClock(SteppedClock):
    """A clock that also moves a little whenever somebody looks at it."""

    def __init__(self, tick_seconds: float = 0.001) -> None:
        super().__init__()
        self._tick_seconds = tick_seconds

    def monotonic(self) -> float:
        self.seconds += self._tick_seconds
        return self.seconds


class PaceEvents(Events):
    """Events in a list, with the steps of the pace."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Event, PaceStep]] = []

    def write(
        self, event: Event, *, pace: PaceStep | None = None, **about: str
    ) -> None:
        super().write(event, **about)
        if pace is not None:
            self.steps.append((event, pace))


class WatchedExecutor(InThread):
    """Does lots at once, and notes how large they were."""

    def __init__(
        self, share: object, before: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(share)
        self.lots: list[Lot] = []
        self._before = before

    def submit(self, lot: Lot) -> object:
        self._before()
        self.lots.append(lot)
        return super().submit(lot)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.events = PaceEvents()
    return made


def delivered(bench: Bench) -> dict[str, bytes]:
    return {
        str(path.relative_to(bench.outbox)): path.read_bytes()
        for path in files_below(bench.outbox)
    }


FIVE = {
    "free": {},
    "full": {"gauges": FakeGauges()},
    "quarter": {"gauges": FakeGauges(battery_percent=20.0)},
    "one-lot": {
        "gauges": FakeGauges(memory_free_bytes=80 * MIB, memory_total_bytes=900 * MIB)
    },
    "files-per-minute": {
        "gauges": FakeGauges(),
        "pace": Asked(files_per_minute=120, guarded=False),
    },
}


def test_one_batch_at_five_paces_has_one_digest(tmp_path: Path) -> None:
    digests, shapes = set(), set()
    for name, about in FIVE.items():
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder)
        for number in range(40):
            bench.drop(f"{number % 3}/{number}.bin", bytes([number]) * 500 * number)
        share = bench.share()
        executor = WatchedExecutor(share)
        node = bench.node(share, executor=executor, clock=TickingClock(), **about)
        assert node.run().delivered_files == 40
        assert delivered(bench) == bench.dropped
        digests.add(node.digest)
        shapes.add(tuple(len(lot.tasks) for lot in executor.lots))
        bench.ledger.close()
    assert len(digests) == 1
    assert len(shapes) > 1, "the paces were not one and the same"


def test_full_small_disk_stops_claiming_until_it_was_freed(bench: Bench) -> None:
    total, size = 4 * MIB, 64 << 10
    peak, freed = [0], [0]

    def used() -> int:
        roots = (bench.outbox, bench.wire, bench.state / "stage")
        return sum(p.stat().st_size for root in roots for p in files_below(root))

    def look() -> None:
        peak[0] = max(peak[0], used())
        gauges.show(disks=(Disk("outbox", total - used(), total),))
        if bench.events.steps and not bench.events.steps[-1][1].pace.pace:
            bench.take_all()
            freed[0] += 1

    gauges = FakeGauges(look)
    for number in range(150):
        bench.drop(f"{number}", number.to_bytes(2, "big") * (size // 2))

    class StopWhenEmpty:
        now = False

        @property
        def requested(self) -> bool:
            return not any(bench.inbox.iterdir()) and not any(bench.wire.iterdir())

    standing = bench.drain(
        clock=TickingClock(0.01), gauges=gauges, stop=StopWhenEmpty(), watch=True
    )
    bench.take_all()
    assert standing.delivered_files == 150
    assert freed[0] > 1
    assert peak[0] <= total
    bench.check_delivered_once()
    paused = [s for _, s in bench.events.steps if not s.pace.pace]
    assert {step.pace.cause for step in paused} == {Cause.DISK}


def test_drain_on_a_full_disk_goes_on_slowly_until_the_disk_says_no(
    bench: Bench,
) -> None:
    bench.drop("a", b"a")
    full = FakeGauges(disks=(Disk("outbox", 0, 100 * MIB, 0, 100),))
    standing = bench.drain(gauges=full)
    assert standing.delivered_files == 1
    assert bench.events.steps[0][1].pace.pace == 0.125


def test_share_that_slows_down_tenfold_in_the_middle_is_made_room_for(
    bench: Bench,
) -> None:
    clock = TickingClock()
    for number in range(300):
        bench.drop(f"{number:03}", b"%d" % number)

    def operate(_number: int = 0, _name: str = "") -> None:
        clock.seconds += 0.1 if 3 <= clock.seconds < 60 else 0.01

    class SlowLocks(FreeLocks):
        def claim(self, key: str) -> object:
            operate()
            return super().claim(key)

    share = WatchedShare(bench.share(), before=operate)
    standing = bench.drain(
        share,
        clock=clock,
        locks=SlowLocks(),
        gauges=FakeGauges(),
        executor=WatchedExecutor(share),
    )
    assert standing.delivered_files == 300
    assert delivered(bench) == bench.dropped
    told = [step.pace for event, step in bench.events.steps if event is Event.PACE]
    slow = [pace for pace in told if pace.pace < 1]
    assert slow
    assert {pace.cause for pace in slow} == {Cause.SHARE}
    assert min(pace.files for pace in slow) <= FILES_MAX / 2
    last = bench.events.steps[-1][1].pace
    assert last.pace == 1
    _check_replay(bench.events)


def _check_replay(events: PaceEvents) -> None:
    """Each decision follows from what stands with it, and one from the other."""
    steps = [step for _, step in events.steps]
    for step in steps:
        assert replay(step)[1] == step.pace
    for one, other in itertools.pairwise(steps):
        assert replay(one)[0] == other.before


def test_only_what_changes_is_told_above_the_level_debug(bench: Bench) -> None:
    for number in range(100):
        bench.drop(f"{number}", b"x" * number)
    bench.drain(clock=TickingClock(), gauges=FakeGauges(battery_percent=50.0))
    kinds = [event for event, _ in bench.events.steps]
    assert kinds[0] is Event.PACE
    assert set(kinds[1:]) <= {Event.PACE_SEEN}
    assert bench.events.named(Event.PACE)[0][3].startswith("0.5 of full pace")


def test_run_without_gauges_tells_and_shows_no_pace(bench: Bench) -> None:
    bench.drop("a", b"a")
    standing = bench.drain()
    assert standing.pace is None
    assert not bench.events.steps


def test_drain_that_may_claim_nothing_for_too_long_ends_unfinished(
    bench: Bench,
) -> None:
    bench.drop("a", b"a")
    clock = SteppedClock()
    standing = bench.drain(clock=clock, gauges=FakeGauges(battery_percent=5.0))
    assert standing.stopped == "pace: battery"
    assert standing.exit_codes == {Exit.UNFINISHED}
    assert PAUSE_PATIENCE_SECONDS <= clock.seconds < PAUSE_PATIENCE_SECONDS + 10
    assert (bench.inbox / "a").read_bytes() == b"a"
    assert standing.pace is not None
    assert standing.pace.pace.cause is Cause.BATTERY


def test_quiet_hours_are_waited_for_as_long_as_they_last(bench: Bench) -> None:
    bench.drop("a", b"a")
    clock = SteppedClock()
    gauges = FakeGauges(lambda: gauges.show(minute=int(clock.seconds / 60)))
    quiet = Asked(quiet=(Quiet(0, 3),))
    standing = bench.drain(clock=clock, gauges=gauges, pace=quiet)
    assert standing.delivered_files == 1
    assert 3 * 60 <= clock.seconds < 4 * 60


def test_files_per_minute_spread_over_the_minutes(bench: Bench) -> None:
    for number in range(30):
        bench.drop(f"{number}", b"x")
    clock = SteppedClock()
    standing = bench.drain(
        clock=clock, gauges=FakeGauges(), pace=Asked(files_per_minute=10)
    )
    assert standing.delivered_files == 30
    # Each counts twice: it is encoded, and it is decoded.
    assert 5 * 60 <= clock.seconds <= 7 * 60


def test_quiet_hours_try_nobodys_patience(bench: Bench) -> None:
    bench.drop("a", b"a")
    clock = SteppedClock()
    gauges = FakeGauges(lambda: gauges.show(minute=int(clock.seconds / 60)))
    minutes = int(PAUSE_PATIENCE_SECONDS / 60) + 3
    quiet = Asked(quiet=(Quiet(0, minutes),))
    standing = bench.drain(clock=clock, gauges=gauges, pace=quiet)
    assert (standing.delivered_files, standing.exit_codes) == (1, set())
    assert clock.seconds >= minutes * 60
