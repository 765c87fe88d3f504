"""Records have the share's time: nodes' clocks do not decide which one is the newest."""

from __future__ import annotations

from pathlib import Path

from relay_bench import Bench, SteppedClock, WatchedShare

from paxect_batch.model.moments import utc
from paxect_batch.model.policy import Policy
from paxect_batch.model.records import Fate

ONCE = Policy(version="2", settle_seconds=0.0, backoff_seconds=0.0, attempts=1)


class AheadClock(SteppedClock):
    """A node's clock that is five minutes ahead."""

    def now(self) -> float:
        return super().now() + 300


def test_later_delivery_is_newer_though_another_clock_was_ahead(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.drop("a.txt", b"first")
    bench.drain(name="ahead", clock=AheadClock())
    bench.take_all()
    bench.drop("a.txt", b"second")
    bench.drain(name="right")
    found = sorted(bench.ledger.all(), key=lambda record: record.at)
    assert [record.node for record in found] == ["ahead", "ahead", "right", "right"]


def test_what_is_set_aside_is_recorded_by_the_clock_of_the_share(
    tmp_path: Path,
) -> None:
    class Share(WatchedShare):
        def now(self) -> float:
            return 86400.0

    bench = Bench(tmp_path)
    (bench.wire / "broken.freq").write_bytes(b"no container")
    bench.drain(Share(bench.share()), policy=ONCE, clock=AheadClock())
    (record,) = bench.ledger.all()
    assert (record.fate, record.at) == (Fate.SET_ASIDE, utc(86400.0))


def test_record_tells_that_equal_bytes_were_there_already(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for name in ("a.txt", "b.txt"):
        bench.drop(name, b"data")
    (bench.outbox / "a.txt").write_bytes(b"data")
    bench.drain()
    adopted = {record.source.name: record.adopted for record in bench.ledger.all()}
    assert adopted == {
        "a.txt": False,
        "b.txt": False,
        "a.txt.freq": True,
        "b.txt.freq": False,
    }
