"""Lanes keep order, report errors where they are waited for, and end cleanly."""

import threading

import pytest

from paxect_core import errors, limits, parallel
from paxect_core.parallel import Job, Lane
from paxect_core.window import window_frames


def refuse() -> None:
    raise ValueError("refused")


@pytest.mark.parametrize("threads", [0, 1])
def test_lane_of_one_thread_runs_jobs_in_their_order(threads: int) -> None:
    ran: list[int] = []
    with Lane(threads) as lane:
        jobs = [lane.submit(lambda i=i: ran.append(i)) for i in range(200)]
        for job in jobs:
            job.wait()
    assert ran == list(range(200))


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_lane_reports_an_error_where_its_job_is_waited_for(threads: int) -> None:
    with Lane(threads) as lane:
        bad = lane.submit(refuse)
        good = lane.submit(lambda: None)
        good.wait()
        with pytest.raises(ValueError, match="refused"):
            bad.wait()


def test_lane_runs_as_many_jobs_at_once_as_it_has_threads() -> None:
    meeting = threading.Barrier(3, timeout=60)
    with Lane(3) as lane:
        jobs = [lane.submit(meeting.wait) for _ in range(3)]
        for job in jobs:
            job.wait()


@pytest.mark.parametrize("threads", [1, 2])
def test_lane_when_left_finishes_what_runs_and_drops_the_rest(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    running, may_end = threading.Event(), threading.Event()
    ran: list[int] = []
    wait_for = threading.Thread.join

    def join(thread: threading.Thread) -> None:
        may_end.set()
        wait_for(thread)

    monkeypatch.setattr(threading.Thread, "join", join)

    def first() -> None:
        running.set()
        may_end.wait(60)

    before = threading.active_count()
    with pytest.raises(KeyError), Lane(threads) as lane:  # noqa: PT012
        for _ in range(threads):
            lane.submit(first)
        for i in range(50):
            lane.submit(lambda i=i: ran.append(i))
        running.wait(60)
        raise KeyError
    assert not ran
    assert threading.active_count() <= before


def test_lane_without_jobs_starts_no_thread() -> None:
    before = threading.active_count()
    with Lane(8):
        assert threading.active_count() <= before


def fail_to_start(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    real, left = threading.Thread.start, [after]

    def start(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_lane_when_threads_cannot_be_had_does_with_fewer(
    monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    fail_to_start(monkeypatch, after=after)
    ran = []
    with Lane(4) as lane:
        jobs = [lane.submit(lambda: ran.append(threading.get_ident()))] * 1
        jobs += [lane.submit(lambda: ran.append(threading.get_ident()))]
        for job in jobs:
            job.wait()
    assert len(ran) == 2
    if not after:
        assert set(ran) == {threading.get_ident()}


class Stop(BaseException):
    pass


def stop() -> None:
    raise Stop


def test_lane_without_threads_lets_a_signal_through_at_once() -> None:
    # Kept for wait(), it would not be seen while the next read blocks.
    with Lane(0) as lane, pytest.raises(Stop):
        lane.submit(stop)


def test_lane_with_threads_keeps_any_exception_for_wait() -> None:
    with Lane(1) as lane:
        job = lane.submit(stop)
        with pytest.raises(Stop):
            job.wait()


def test_job_without_lock_is_done_when_it_ran() -> None:
    job = Job(refuse, None)
    job.run()
    with pytest.raises(ValueError, match="refused"):
        job.wait()


@pytest.mark.parametrize(
    ("threads", "frame_bytes", "frames"),
    [(0, 1 << 20, 1), (2, 1 << 20, 8), (4, 1 << 20, 16), (2, 64 << 20, 3), (8, 1, 32)],
)
def test_window_is_bounded_in_frames_and_in_bytes(
    threads: int, frame_bytes: int, frames: int
) -> None:
    assert window_frames(threads, frame_bytes) == frames


def test_threads_within_the_limit_pass() -> None:
    parallel.check_threads(1)
    parallel.check_threads(limits.THREADS_MAX)
    with pytest.raises(errors.UsageError):
        parallel.check_threads(limits.THREADS_MAX + 1)
