"""The bar fits its line; problems are told once, above it."""

import errno
import io
import sys

import pytest
from fakes.share import MemoryShare

from paxect_batch.cli.forecast import Forecast
from paxect_batch.cli.progress import Progress, progress_line
from paxect_batch.model.places import Place, Root
from paxect_batch.model.run import Standing


class Ticking:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_line_shows_files_bytes_rate_and_time_left() -> None:
    standing = Standing(
        seen_files=3,
        seen_bytes=30_000,
        delivered_files=1,
        delivered_bytes=10_000,
        in_flight_files=1,
        in_flight_bytes=10_000,
        set_aside_files=1,
        set_aside_bytes=10_000,
    )
    line = progress_line(standing, seconds=10.0)
    assert line == (
        "[##########----------]  2/4 files  10.0 kB  1.0 kB/s  10.0 s left  "
        "1 set aside  1 waiting"
    )
    short = progress_line(standing, seconds=10.0, columns=70)
    assert short == (
        "[#####-----]  2/4 files  1.0 kB/s  10.0 s left  1 set aside  1 waiting"
    )


def test_line_of_nothing_yet_has_no_time_left() -> None:
    line = progress_line(Standing(), seconds=0.0)
    assert line == "[--------------------]  0/0 files  0 B  0 B/s"


@pytest.mark.parametrize("columns", [79, 40, 10])
def test_line_of_very_much_fits(columns: int) -> None:
    much = 10**17
    standing = Standing(seen_files=much, seen_bytes=2 * much, set_aside_files=much)
    standing.delivered_bytes = standing.delivered_files = much
    assert len(progress_line(standing, seconds=1e9, columns=columns)) <= columns


def test_line_counts_against_what_lay_there_at_the_beginning() -> None:
    standing = Standing(seen_files=1, seen_bytes=10, delivered_files=1)
    line = progress_line(standing, seconds=1.0, files=100, size=1000)
    assert "  1/100 files  " in line
    # What came in later counts as soon as it is seen.
    assert "  1/1 files  " in progress_line(standing, seconds=1.0)


def test_line_of_a_relay_shows_half_for_what_is_on_the_wire() -> None:
    standing = Standing(encoded_files=4, encoded_bytes=4_000_000)
    line = progress_line(standing, seconds=1.0, files=4, size=4_000_000)
    assert line.startswith("[##########----------]  0/4 files")


def test_line_shows_what_workers_have_done_of_the_file_that_they_are_at() -> None:
    standing = Standing(in_flight_files=1, in_flight_bytes=6_000_000_000)
    line = progress_line(standing, seconds=10.0, worked=1_500_000_000.0)
    assert line == (
        "[####----------------]  0/1 files  1.5 GB  150.0 MB/s  30.0 s left"
    )


def test_bar_of_a_relay_counts_each_pass_over_a_file_for_half(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for passes, told in ((1, "4.0 MB"), (2, "2.0 MB")):
        progress = Progress(bar=True, passes=passes, monotonic=Ticking())
        progress.worked_bytes = lambda: 4_000_000
        progress(Standing(in_flight_files=1, in_flight_bytes=8_000_000))
        assert f"0/1 files  {told}" in capsys.readouterr().err


def test_bar_does_not_go_back_when_a_worker_is_done_with_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Ticking()
    progress = Progress(bar=True, monotonic=clock)
    for worked, delivered in ((6_000_000, 0), (0, 0), (0, 8_000_000), (1_000_000, 0)):
        progress.worked_bytes = lambda worked=worked: worked  # type: ignore[misc]
        clock.now += 1.0
        standing = Standing(in_flight_bytes=16_000_000, delivered_bytes=delivered)
        progress(standing)
    err = capsys.readouterr().err
    assert [line.split("  ")[2] for line in err.split("\r")[1:]] == [
        "6.0 MB",
        "6.0 MB",
        "8.0 MB",
        "8.0 MB",
    ]


def test_forecast_counts_files_and_containers_but_no_sidecars() -> None:
    share = MemoryShare()
    for place, data in (
        (Place(Root.INBOX, "a.txt"), b"one"),
        (Place(Root.INBOX, "sub/b.part"), b"half"),
        (Place(Root.WIRE, "c.freq"), b"container"),
        (Place(Root.WIRE, "c.freq.sha256"), b"0"),
    ):
        with share.create(place) as stream:
            stream.write(data)
    forecast = Forecast(share, (Root.INBOX, Root.WIRE))
    forecast.start()
    forecast.thread.join()
    assert (forecast.files, forecast.bytes) == (2, 12)
    stopped = Forecast(share, (Root.INBOX,))
    stopped.stop()
    stopped.start()
    stopped.thread.join()
    assert stopped.files == 0


def test_forecast_of_a_share_that_fails_is_what_it_counted() -> None:
    def fail(_operation: str, _place: Place) -> None:
        raise OSError(5, "Input/output error")

    forecast = Forecast(MemoryShare(before=fail), (Root.INBOX,))
    forecast.start()
    forecast.thread.join()
    assert forecast.files == 0


def test_bar_is_drawn_at_most_ten_times_a_second_and_taken_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Ticking()
    progress = Progress(bar=True, monotonic=clock)
    for _ in range(3):
        progress(Standing())
    clock.now += 0.2
    progress(Standing())
    progress.clear()
    progress.clear()
    err = capsys.readouterr().err
    assert err.count("files") == 2
    assert err.endswith("\r\033[K")


def test_terminal_that_is_gone_ends_the_bar_and_not_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            raise OSError(errno.EIO, "Input/output error")

    gone, clock = Gone(), Ticking()
    monkeypatch.setattr(sys, "stderr", gone)
    progress = Progress(bar=True, monotonic=clock)
    for _ in range(3):
        clock.now += 0.2
        progress(Standing())
    progress.clear()
    assert gone.writes == 1


def test_problems_are_told_once_even_when_old_ones_fall_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress(bar=False)
    standing = Standing(problems=["a", "b"])
    progress(standing)
    standing.problems.append("c")
    progress(standing)
    progress(standing)
    standing.problems[:] = ["b", "c", "c", "d"]
    progress(standing)
    standing.problems[:] = ["x", "y"]
    progress(standing)
    told = [line.split()[-1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["a", "b", "c", "d", "x", "y"]


def test_problem_is_told_above_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(bar=True, monotonic=Ticking())
    progress(Standing())
    progress(Standing(problems=["p"]))
    assert "\r\033[Kpaxect-batch: warning: p\n" in capsys.readouterr().err
