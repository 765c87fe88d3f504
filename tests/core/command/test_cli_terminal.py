"""What the command shows on a terminal."""

import errno
import io
import itertools
import os
import sys
from collections.abc import Callable

import pytest

from paxect_core import cli, errors, options, process
from paxect_core.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Makes standard error a terminal; to be called in the test, after capturing."""

    def open_terminal() -> Terminal:
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(os, "isatty", lambda fd: fd == 2)
        # Each look at the clock is a second later than the last.
        ticks = itertools.count()
        monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
        return screen

    return open_terminal


@pytest.mark.parametrize(
    "words",
    [
        ["encode", "-i", "raw", "-o", "new", "--frame=100"],
        ["decode", "-i", "good", "-o", "new"],
        ["verify", "good"],
    ],
)
def test_terminal_shows_a_bar_and_takes_it_off(
    terminal: Callable[[], Terminal], words: list[str]
) -> None:
    screen = terminal()
    assert cli.main(words) == 0
    shown = screen.getvalue()
    assert "MB/s" in shown
    assert "%" in shown
    _, _, after = shown.rpartition("\r\033[K")
    assert "[#" not in after
    if words[0] != "verify":
        assert "2,000 raw bytes" in after


@pytest.mark.parametrize("option", ["--quiet", "--no-progress", "--json"])
def test_terminal_shows_no_bar_when_told_not_to(
    terminal: Callable[[], Terminal], option: str
) -> None:
    screen = terminal()
    assert cli.main(["decode", "-i", "good", "-o", "new", option]) == 0
    assert ("MB/s" in screen.getvalue()) == (option == "--json")


def test_bar_of_a_stream_of_unknown_size_counts_only(
    terminal: Callable[[], Terminal],
) -> None:
    screen = terminal()
    os.mkfifo("fifo")
    fifo = os.open("fifo", os.O_RDWR)
    os.write(fifo, b"")
    bar = ProgressBar(input_bytes=None, counts_raw=True)
    bar(5_000_000, 10)
    assert "5.0 MB" in screen.getvalue()
    assert "%" not in screen.getvalue()
    bar.clear()
    bar.clear()
    bar._next = float("inf")
    before = screen.getvalue()
    bar(6_000_000, 10)
    assert screen.getvalue() == before
    with open("fifo", "rb", buffering=0) as source:
        arguments = options.parse(["verify"])
        made = cli._progress_bar(arguments, source, counts_raw=False)
        assert made is not None
        assert made._input_bytes is None
    os.close(fifo)


def test_bar_at_the_start_has_no_time_left_to_tell(
    terminal: Callable[[], Terminal],
) -> None:
    screen = terminal()
    bar = ProgressBar(input_bytes=100, counts_raw=False)
    bar(10, 0)
    assert "0%" in screen.getvalue()


def test_cores_are_counted_where_affinity_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cli._cores() == 1


def test_printing_that_fails_in_process_is_code_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    ends: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "dup2", lambda a, b: ends.append((a, b)))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Full())
        assert cli.main(["verify", "good"]) == 3
    os.close(ends[0][0])
    assert ends[0][1] == 1
    assert "No space left on device" in capsys.readouterr().err


def test_descriptors_that_are_closed_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def fstat(fd: int) -> None:
        if fd != 1:
            raise OSError(errno.EBADF, "Bad file descriptor")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        patch.setattr(os, "open", lambda _path, flags: taken.append(flags))
        process.occupy_standard_descriptors()
    assert taken == [os.O_WRONLY, os.O_RDONLY]


def test_streams_that_are_closed_are_not_printed_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refusing(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        assert cli.main(["verify", "--json", "good", "none"]) == 3
        assert cli.main(["encode", "-i", "raw", "-o", "new", "--json"]) == 0
        patch.setattr(sys, "stderr", Refusing())
        assert cli.main(["verify", "none"]) == errors.EXIT_FILE


def test_main_reads_the_words_of_its_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["paxect-core", "--version"])
    assert cli.main() == 0
    assert "libzstd" in capsys.readouterr().out
