"""Without a thread to be had: who needs one says so, the others do without."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from lease_samples import lease_of
from test_pool_contract import WAIT_SECONDS, WORKER, lot_of

from paxect_batch.model.errors import NotReady, NoWorkers
from paxect_batch.model.places import Root
from paxect_batch.seams import Applicant
from paxect_batch.world import probes
from paxect_batch.world.beside import OneBeside
from paxect_batch.world.clock import RealClock
from paxect_batch.world.hands import Hands
from paxect_batch.world.keeper import Keeper
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.machine import this_machine
from paxect_batch.world.pool import WorkerPool
from paxect_batch.world.probes_ground import Ground


class Limit:
    """Lets so many more threads be started, as limits of the system do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        real = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if not self.left:
                raise RuntimeError("can't start new thread")
            self.left -= 1
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    return Limit(monkeypatch)


@pytest.mark.parametrize("left", range(probes.RACERS))
def test_probe_without_threads_waits_for_none_and_does_not_blame_the_share(
    tmp_path: Path, limit: Limit, left: int
) -> None:
    limit.left = left
    before = set(threading.enumerate())
    with Ground(str(tmp_path), RealClock(), look_up=lambda: None) as ground:
        with pytest.raises(NoWorkers, match="no thread be started"):
            probes.try_calls(ground)
        # The interpreter joins at its end those that are no daemons.
        racers = set(threading.enumerate()) - before
        assert all(racer.daemon for racer in racers)
        for racer in racers:
            racer.join(WAIT_SECONDS)
            assert not racer.is_alive()


def test_calls_beside_are_made_without_a_thread_and_with_one_as_soon_as_can_be(
    limit: Limit,
) -> None:
    beside = OneBeside()
    caller = threading.current_thread()
    assert beside.submit(threading.current_thread).result(0) is caller

    def fail() -> None:
        raise OSError(5, "broken")

    assert isinstance(beside.submit(fail).exception(0), OSError)
    limit.left = 1
    assert beside.submit(threading.current_thread).result(WAIT_SECONDS) is not caller
    beside.stop()


@pytest.mark.parametrize("left", range(4))
def test_as_many_hands_as_can_be_had_do_all_of_it(limit: Limit, left: int) -> None:
    limit.left = left
    hands, done = Hands(), []
    for _ in range(2):
        hands.each(done.append, range(10), at_once=3)
    assert sorted(done) == sorted([*range(10)] * 2)


def test_pool_without_a_thread_does_no_lot_says_why_and_can_be_stopped(
    tmp_path: Path, limit: Limit
) -> None:
    pool = WorkerPool({Root.STATE: str(tmp_path)}, 2, command=WORKER)
    error = pool.submit(lot_of(1, "echo")).exception(0)
    assert isinstance(error, NoWorkers)
    assert "files are as they were; allow more tasks" in error.message
    limit.left = 1
    lots = [pool.submit(lot_of(number, "echo")) for number in (2, 3, 4)]
    assert [len(lot.result(WAIT_SECONDS)) for lot in lots] == [1, 1, 1]
    assert len(pool.pids()) == 1
    pool.stop()


def test_keeper_without_a_thread_can_be_stopped(tmp_path: Path, limit: Limit) -> None:
    files, lease = LeaseFiles(str(tmp_path)), lease_of("n1", machine=this_machine())
    assert files.create(lease)
    keeper = Keeper(files, lease)
    with pytest.raises(NoWorkers, match="lease"):
        keeper.start()
    keeper.stop()


def test_node_that_joined_without_a_thread_left_no_lease(
    tmp_path: Path, limit: Limit
) -> None:
    locks = FileLocks(str(tmp_path))
    with pytest.raises(NotReady, match="no thread be started"):
        locks.join(Applicant(node="n1", run="a"))
    limit.left = 1
    locks.join(Applicant(node="n1", run="b"))
    assert locks.leave()
