"""The bar fits its line; problems are told once, above it."""

import pytest

from paxect_batch.cli.progress import Progress, progress_line
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
        "[##########----------]  2/4 files  10.0 kB  1.0 kB/s  10.0 s left  1 set aside"
    )


def test_line_of_nothing_yet_has_no_time_left() -> None:
    line = progress_line(Standing(), seconds=0.0)
    assert line == "[--------------------]  0/0 files  0 B  0 B/s"


def test_line_of_very_much_fits() -> None:
    much = 10**17
    standing = Standing(seen_files=much, seen_bytes=2 * much, set_aside_files=much)
    standing.delivered_bytes = standing.delivered_files = much
    assert len(progress_line(standing, seconds=1e9)) <= 79


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
