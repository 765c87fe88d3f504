"""Events as JSON lines in a file that is rotated by size, and as text for people.

A log that cannot be written stops nobody, but not in silence either: the first failure
is said on standard error, what is lost is counted, each later event is a new try, and
the first that succeeds is preceded by a line that tells how many are missing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable
from typing import IO, TextIO

import msgspec

from paxect_batch.model.events import LEVELS, Event, EventLine
from paxect_batch.model.moments import utc
from paxect_batch.model.pace import PaceStep
from paxect_batch.model.places import printable
from paxect_batch.model.policy import LogLevel
from paxect_batch.seams import Clock, EventLog

ROTATED_MAX = 3
"""How many older files are kept: `PATH.1`, the newest, to `PATH.3`."""
TAIL_EVENTS = 200
"""How many of the newest events are kept in memory for `status`."""

_LEVELS_UP = tuple(LogLevel)


def level_of(event: Event) -> LogLevel:
    """Return how grave an event is."""
    return LEVELS.get(event, LogLevel.INFO)


def at_least(level: LogLevel, least: LogLevel) -> bool:
    """Say whether one level is as grave as the other, or more."""
    return _LEVELS_UP.index(level) >= _LEVELS_UP.index(least)


class JsonlEventLog:
    """See `seams.EventLog`. `level` and `run` may be changed at any time."""

    def __init__(
        self,
        path: str | bytes,
        *,
        level: LogLevel,
        rotate_bytes: int,
        version: str,
        node: str,
        run: str,
        clock: Clock,
        complain: Callable[[str], None] | None = None,
        encode: Callable[[EventLine], bytes] = msgspec.json.encode,
    ) -> None:
        """`encode` makes a line of an event, without its end."""
        self._encode = encode
        self._path = os.fsdecode(path)
        self._was_open = False
        self.level = level
        self._rotate_bytes = rotate_bytes
        self._version = version
        self._node = node
        self.run = run
        self._clock = clock
        self._complain = complain or _say_on_standard_error
        self._stream: IO[bytes] | None = None
        self._is_old = False
        """Whether the file may have been moved away since it was opened."""
        self._ends_in_line = True
        self.lost = 0
        """How many events could not be written since the log last could be."""
        self.tail: deque[EventLine] = deque(maxlen=TAIL_EVENTS)
        """The newest events."""
        self.observer: Callable[[EventLine, bool], None] | None = None
        """Told of each event, and whether the level lets it be logged."""

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
        pace: PaceStep | None = None,
    ) -> None:
        """See `seams.EventLog`. Never raises for what the log's file does."""
        is_logged = at_least(level_of(event), self.level)
        if not is_logged and self.observer is None:
            return
        line = self._line(event, src=src, dst=dst, status=status, message=message)
        if pace is not None:
            line = msgspec.structs.replace(line, pace=pace)
        if self.observer is not None:
            self.observer(line, is_logged)
        if not is_logged:
            return
        self.tail.append(line)
        try:
            if self.lost:
                self._add(self._line_of_loss())
                self.lost = 0
            self._add(line)
        except OSError as error:
            self._note_loss(error)

    def reopen(self) -> None:
        """Have the next event go to a new file of that name; for signal handlers."""
        self._is_old = True

    def close(self) -> None:
        """Close the file; the next event opens it again."""
        self._is_old = False
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._stream = None

    def _line(
        self, event: Event, *, src: str, dst: str, status: str, message: str
    ) -> EventLine:
        return EventLine(
            datetime_utc=utc(self._clock.now()),
            level=level_of(event),
            event=event,
            src=src,
            dst=dst,
            status=status,
            message=message,
            version=self._version,
            node=self._node,
            run=self.run,
        )

    def _line_of_loss(self) -> EventLine:
        return self._line(
            Event.LOG_TROUBLE,
            src="",
            dst="",
            status="error",
            message=f"{self.lost} events before this one could not be logged",
        )

    def _add(self, line: EventLine) -> None:
        data = self._encode(line) + b"\n"
        stream = self._open_for(len(data))
        if not self._ends_in_line:
            data = b"\n" + data
        # One write for each line, so that a reader meets whole lines.
        written = stream.write(data)
        self._ends_in_line = written == len(data)
        if not self._ends_in_line:
            raise OSError(0, f"only {written} of {len(data)} bytes were taken")

    def _open_for(self, size: int) -> IO[bytes]:
        if self._is_old:
            self.close()
        stream = self._stream = self._stream or self._open()
        if 0 < stream.tell() > self._rotate_bytes - size:
            self.close()
            self._rotate()
            stream = self._stream = self._open()
        return stream

    def _open(self) -> IO[bytes]:
        folder = os.path.dirname(self._path)
        if folder and not os.path.isdir(folder):
            # Not those around it as well, which are gone with a share that was there:
            # they would be made on whatever it was mounted on.
            make = os.mkdir if self._was_open else os.makedirs
            with contextlib.suppress(FileExistsError):
                make(folder)
        self._was_open = True
        stream = open(self._path, "ab+", buffering=0)
        end = stream.seek(0, os.SEEK_END)
        self._ends_in_line = True
        if end > 0:
            stream.seek(end - 1)
            self._ends_in_line = stream.read(1) == b"\n"
        return stream

    def _rotate(self) -> None:
        for number in range(ROTATED_MAX - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        os.replace(self._path, f"{self._path}.1")

    def _note_loss(self, error: OSError) -> None:
        self.close()
        if self.lost == 0:
            self._complain(
                f"the log {printable(self._path)} cannot be written "
                f"({error.strerror or error}); the relay goes on, and its events are "
                "counted until they can be logged again"
            )
        self.lost += 1


class ConsoleEvents:
    """An event log that also shows warnings and errors to people, one line each."""

    def __init__(
        self, inner: EventLog, stream: TextIO, *, least: LogLevel = LogLevel.WARN
    ) -> None:
        self._inner = inner
        self._stream = stream
        self._least = least

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
        pace: PaceStep | None = None,
    ) -> None:
        """See `seams.EventLog`. A terminal that is gone is nobody's trouble."""
        self._inner.write(
            event, src=src, dst=dst, status=status, message=message, pace=pace
        )
        level = level_of(event)
        if not at_least(level, self._least):
            return
        way = " -> ".join(part for part in (src, dst) if part)
        text = ": ".join(
            part for part in (str(level), str(event), way, message) if part
        )
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{printable(text)}\n")
            self._stream.flush()


def _say_on_standard_error(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201
