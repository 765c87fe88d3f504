"""Events that come together: by few writes, and otherwise as those that come alone."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from file_sizes import file_size_limit
from logs import Log

from paxect_batch.model.events import Event


def test_events_that_come_together_are_added_by_one_write(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.log.write(Event.ENCODE, message="before")
    with contextlib.suppress(KeyError), log.log.together():
        for number in range(3):
            log.log.write(Event.ENCODE, message=str(number))
        assert log.messages() == ["before"]
        assert [line.message for line in log.log.tail] == ["before", "0", "1", "2"]
        raise KeyError
    assert log.messages() == ["before", "0", "1", "2"]
    log.log.write(Event.ENCODE, message="after")
    log.log.close()
    assert log.messages() == ["before", "0", "1", "2", "after"]


def test_events_that_come_together_are_rotated_as_others_are(tmp_path: Path) -> None:
    log = Log(tmp_path, rotate_bytes=1000)
    with log.log.together():
        for number in range(40):
            log.log.write(Event.ENCODE, message=str(number))
    log.log.close()
    kept = [
        message for suffix in (".3", ".2", ".1", "") for message in log.messages(suffix)
    ]
    assert kept == [str(number) for number in range(40 - len(kept), 40)]
    assert len(kept) > 8
    assert all(path.stat().st_size <= 1000 for path in log.path.parent.iterdir())


def test_of_events_that_come_together_those_are_counted_that_are_lost(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path)
    log.log.write(Event.ENCODE, message="0")
    size = log.path.stat().st_size
    with file_size_limit(3 * size + 10), log.log.together():
        for number in range(1, 6):
            log.log.write(Event.ENCODE, message=str(number))
    assert log.log.lost == 3
    log.log.write(Event.ENCODE, message="6")
    log.log.close()
    lines = log.path.read_text().splitlines()
    whole = [json.loads(line)["message"] for line in lines if line.endswith("}")]
    assert whole == [
        *("0", "1", "2"),
        "3 events before this one could not be logged",
        "6",
    ]
    assert len(lines) == 6
