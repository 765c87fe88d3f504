"""A log of events in a file, and what became of it."""

from __future__ import annotations

import json
from pathlib import Path

from fakes.clock import FakeClock

from paxect_batch.model.policy import LogLevel
from paxect_batch.world.event_log import JsonlEventLog


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
