"""Event logs, real and fake: `seams.EventLog`; and logs that cannot be written."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.small import ListEventLog
from file_sizes import file_size_limit

from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.policy import LogLevel
from paxect_batch.seams import EventLog
from paxect_batch.world.event_log import (
    ROTATED_MAX,
    TAIL_EVENTS,
    ConsoleEvents,
    JsonlEventLog,
)


class Log:
    """A real log, what it complained of, and what is in its file."""

    def __init__(
        self,
        folder: Path,
        *,
        level: LogLevel = LogLevel.DEBUG,
        rotate_bytes: int = 1 << 20,
    ) -> None:
        self.path = folder / "log" / "node.jsonl"
        self.complaints: list[str] = []
        self.log = JsonlEventLog(
            str(self.path),
            level=level,
            rotate_bytes=rotate_bytes,
            version="1.0",
            node="node1",
            run="run1",
            clock=FakeClock(start=1_700_000_000.5),
            complain=self.complaints.append,
        )

    def lines(self, suffix: str = "") -> list[dict[str, str]]:
        text = Path(f"{self.path}{suffix}").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def messages(self, suffix: str = "") -> list[str]:
        return [line["message"] for line in self.lines(suffix)]


@pytest.fixture(params=["fake", "file", "console"])
def make(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[LogLevel], tuple[EventLog, Callable[[], list[str]]]]]:
    """Make a log of a level, and what tells the names of the events in it."""

    def made(level: LogLevel) -> tuple[EventLog, Callable[[], list[str]]]:
        if request.param == "fake":
            fake = ListEventLog(level)
            return fake, lambda: [str(event) for event in fake.events]
        real = Log(tmp_path, level=level)
        logs.append(real.log)
        names = lambda: [line["event"] for line in real.lines()]  # noqa: E731
        if request.param == "console":
            return ConsoleEvents(real.log, io.StringIO()), names
        return real.log, names

    logs: list[JsonlEventLog] = []
    yield made
    for log in logs:
        log.close()


def test_events_of_the_level_and_above_are_kept_in_order(
    make: Callable[[LogLevel], tuple[EventLog, Callable[[], list[str]]]],
) -> None:
    for level, expected in (
        (LogLevel.DEBUG, ["pace_seen", "encode", "policy_block", "set_aside"]),
    ):
        log, names = make(level)
        log.write(Event.PACE_SEEN)
        log.write(Event.ENCODE, src="inbox/a", dst="wire/a.freq")
        log.write(Event.POLICY_BLOCK, status="blocked", message="why")
        log.write(Event.SET_ASIDE)
        assert names() == expected


@pytest.mark.parametrize(
    ("level", "count"),
    [(LogLevel.INFO, 3), (LogLevel.WARN, 2), (LogLevel.ERROR, 1)],
)
def test_events_below_the_level_are_dropped(
    make: Callable[[LogLevel], tuple[EventLog, Callable[[], list[str]]]],
    level: LogLevel,
    count: int,
) -> None:
    log, names = make(level)
    for event in (Event.PACE_SEEN, Event.ENCODE, Event.POLICY_BLOCK, Event.SET_ASIDE):
        log.write(event)
    assert len(names()) == count


def test_fake_log_gives_the_events_of_one_kind() -> None:
    log = ListEventLog()
    log.write(Event.ENCODE, src="a")
    log.write(Event.DECODE, src="b")
    assert [line.src for line in log.of(Event.DECODE)] == ["b"]


# -- the file


def test_line_has_all_fields_of_the_catalogue(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.log.write(
        Event.ENCODE, src="inbox/a\\x0a", dst="wire/a", status="ok", message="né\n"
    )
    log.log.close()
    assert log.lines() == [
        {
            "datetime_utc": "2023-11-14T22:13:20.500Z",
            "level": "info",
            "event": "encode",
            "src": "inbox/a\\x0a",
            "dst": "wire/a",
            "status": "ok",
            "message": "né\n",
            "version": "1.0",
            "node": "node1",
            "run": "run1",
        }
    ]
    said_always = [name for name in EventLine.__struct_fields__ if name != "pace"]
    assert list(log.lines()[0]) == said_always


def test_log_is_rotated_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    log = Log(tmp_path, rotate_bytes=600)
    for number in range(20):
        log.log.write(Event.ENCODE, message=str(number))
    log.log.close()
    names = sorted(path.name for path in log.path.parent.iterdir())
    assert names == [
        "node.jsonl",
        *(f"node.jsonl.{number}" for number in range(1, ROTATED_MAX + 1)),
    ]
    kept = [
        message for suffix in (".3", ".2", ".1", "") for message in log.messages(suffix)
    ]
    assert kept == [str(number) for number in range(20 - len(kept), 20)]
    assert all(path.stat().st_size <= 600 for path in log.path.parent.iterdir())


def test_event_larger_than_the_limit_is_written_all_the_same(tmp_path: Path) -> None:
    log = Log(tmp_path, rotate_bytes=10)
    log.log.write(Event.ENCODE, message="one")
    log.log.write(Event.ENCODE, message="two")
    log.log.close()
    assert log.messages(".1") == ["one"]
    assert log.messages() == ["two"]


def test_reopened_log_goes_to_a_new_file_of_that_name(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.log.reopen()
    log.log.write(Event.ENCODE, message="one")
    os.rename(log.path, f"{log.path}.moved")
    log.log.write(Event.ENCODE, message="two")
    log.log.reopen()
    log.log.write(Event.ENCODE, message="three")
    log.log.close()
    assert log.messages(".moved") == ["one", "two"]
    assert log.messages() == ["three"]


def test_signal_that_comes_in_the_middle_of_a_write_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path)
    opened = log.log._open_for

    def and_a_signal(size: int) -> object:
        stream = opened(size)
        log.log.reopen()
        return stream

    monkeypatch.setattr(log.log, "_open_for", and_a_signal)
    log.log.write(Event.ENCODE, message="one")
    os.rename(log.path, f"{log.path}.moved")
    log.log.write(Event.ENCODE, message="two")
    log.log.close()
    assert log.messages(".moved") == ["one"]
    assert log.messages() == ["two"]


def test_log_of_an_earlier_run_is_continued_on_a_line_of_its_own(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path)
    log.path.parent.mkdir()
    log.path.write_text('{"message": "whole"}\n{"mess')
    log.log.write(Event.ENCODE, message="mine")
    log.log.close()
    lines = log.path.read_text().splitlines()
    assert lines[1] == '{"mess'
    assert json.loads(lines[2])["message"] == "mine"


def test_log_in_the_working_folder_needs_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = Log(tmp_path)
    log.log._path = "plain.jsonl"
    log.log.write(Event.STARTUP)
    log.log.close()
    assert (tmp_path / "plain.jsonl").exists()


def test_level_can_change(tmp_path: Path) -> None:
    log = Log(tmp_path, level=LogLevel.ERROR)
    log.log.write(Event.ENCODE, message="dropped")
    log.log.level = LogLevel.INFO
    log.log.write(Event.ENCODE, message="kept")
    log.log.close()
    assert log.messages() == ["kept"]


def test_newest_events_are_kept_in_memory(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for number in range(TAIL_EVENTS + 5):
        log.log.write(Event.ENCODE, message=str(number))
    log.log.close()
    assert [line.message for line in log.log.tail] == [
        str(number) for number in range(5, TAIL_EVENTS + 5)
    ]


# -- trouble


def test_log_that_cannot_be_opened_is_complained_of_once_and_tried_again(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path)
    log.path.parent.write_text("a file where the folder should be")
    for number in range(3):
        log.log.write(Event.ENCODE, message=str(number))
    assert len(log.complaints) == 1
    assert str(log.path) in log.complaints[0]
    assert log.log.lost == 3
    assert len(log.log.tail) == 3
    log.path.parent.unlink()
    log.log.write(Event.ENCODE, message="back")
    log.log.close()
    told, back = log.lines()
    assert told["event"] == "log_trouble"
    assert told["message"].startswith("3 events ")
    assert back["message"] == "back"
    assert log.log.lost == 0


def test_log_on_a_full_disk_keeps_whole_lines_and_tells_of_the_loss(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path)
    log.log.write(Event.ENCODE, message="before")
    size = log.path.stat().st_size
    for _ in range(2):
        with file_size_limit(size + 50):
            log.log.write(Event.ENCODE, message="lost")
    log.log.write(Event.ENCODE, message="after")
    log.log.close()
    assert len(log.complaints) == 1
    lines = log.path.read_text().splitlines()
    whole = [json.loads(line) for line in lines if line.endswith("}")]
    assert [line["message"] for line in whole] == [
        "before",
        "2 events before this one could not be logged",
        "after",
    ]
    assert len(lines) == 4


def test_second_outage_is_complained_of_again(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for _ in range(2):
        log.path.parent.write_text("in the way")
        log.log.write(Event.ENCODE)
        log.path.parent.unlink()
        log.log.write(Event.ENCODE)
        log.log.close()
        log.path.unlink()
        log.path.parent.rmdir()
    assert len(log.complaints) == 2


def test_complaint_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    log = JsonlEventLog(
        os.fsencode(tmp_path / "file" / "log"),
        level=LogLevel.INFO,
        rotate_bytes=100,
        version="1",
        node="n",
        run="r",
        clock=FakeClock(),
    )
    log.write(Event.STARTUP)
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot be written" in said.err
    assert said.err.count("\n") == 1


class ClosedStream(io.StringIO):
    """Standard error of a terminal that is gone."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, text)


def test_console_shows_warnings_and_errors_one_line_each(tmp_path: Path) -> None:
    log, shown = Log(tmp_path), io.StringIO()
    console = ConsoleEvents(log.log, shown)
    console.write(Event.ENCODE, src="inbox/a")
    console.write(Event.POLICY_BLOCK, src="inbox/b", message="file_too_large:7")
    console.write(
        Event.SET_ASIDE, src="inbox/c", dst="quarantine/1", message="x\n\x1b[31m\u202e"
    )
    log.log.close()
    assert shown.getvalue().splitlines() == [
        "warn: policy_block: inbox/b: file_too_large:7",
        "error: set_aside: inbox/c -> quarantine/1: x\\x0a\\x1b[31m\\u202e",
    ]
    assert len(log.lines()) == 3


def test_console_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    log = Log(tmp_path)
    ConsoleEvents(log.log, ClosedStream()).write(Event.SET_ASIDE)
    log.log.close()
    assert len(log.lines()) == 1


def test_log_is_not_made_anew_where_the_share_is_gone(tmp_path: Path) -> None:
    """Its folders would pass for the share's, on what that was mounted on."""
    share, away = tmp_path / "share", tmp_path / "away"
    log = Log(share)
    log.log.write(Event.ENCODE, message="one")
    share.rename(away)
    log.log.reopen()
    log.log.write(Event.ENCODE, message="two")
    assert not share.exists()
    assert len(log.complaints) == 1
    away.rename(share)
    log.log.write(Event.ENCODE, message="three")
    log.log.close()
    assert (log.messages()[0], log.messages()[-1]) == ("one", "three")
