"""The fakes of the small seams: events, keys, load."""

from __future__ import annotations

from dataclasses import dataclass

from paxect_batch.model.events import LEVELS, Event
from paxect_batch.model.policy import LogLevel


@dataclass(frozen=True)
class LoggedEvent:
    """One event as it was written."""

    event: Event
    src: str
    dst: str
    status: str
    message: str


class ListEventLog:
    """`seams.EventLog`: keeps what is of its level or above."""

    def __init__(self, level: LogLevel = LogLevel.DEBUG) -> None:
        self.level = level
        self.lines: list[LoggedEvent] = []

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
    ) -> None:
        order = list(LogLevel)
        level = LEVELS.get(event, LogLevel.INFO)
        if order.index(level) >= order.index(self.level):
            self.lines.append(LoggedEvent(event, src, dst, status, message))

    @property
    def events(self) -> list[Event]:
        """The kinds of what was written, in order."""
        return [line.event for line in self.lines]

    def of(self, event: Event) -> list[LoggedEvent]:
        """What was written of one kind."""
        return [line for line in self.lines if line.event is event]


class FakeKeys:
    """`seams.Keys`."""

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key

    def hmac_key(self) -> bytes | None:
        return self.key


class FakeLoad:
    """`seams.Load`."""

    def __init__(self, cores: int = 2) -> None:
        self.count = cores

    def cores(self) -> int:
        return self.count
