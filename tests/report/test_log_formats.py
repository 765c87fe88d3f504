"""Events in other formats keep to the vendors' field lists, and lose nothing."""

import re

import msgspec
import pytest
from report_samples import an_event

from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.policy import LogLevel
from paxect_batch.report.log_formats import (
    LogFormat,
    encoder_of,
    event_in,
    to_ecs,
    to_hec,
)

ECS_FIELDS = {
    "@timestamp": "date",
    "log.level": "keyword",
    "message": "text",
    "ecs.version": "keyword",
    "event.action": "keyword",
    "event.kind": "keyword",
    "event.category": "array",
    "event.type": "array",
    "event.outcome": "keyword",
    "event.dataset": "keyword",
    "service.name": "keyword",
    "service.version": "keyword",
    "service.node.name": "keyword",
    "file.path": "keyword",
    "file.target_path": "keyword",
    "error.message": "text",
    "labels": "object",
}
"""Of the fields of ECS 8.11 those that are used here, with their types."""
ECS_VALUES = {
    "event.kind": {
        *("alert", "asset", "enrichment", "event", "metric", "pipeline_error"),
        *("signal", "state"),
    },
    "event.category": {
        *("api", "authentication", "configuration", "database", "driver", "email"),
        *("file", "host", "iam", "intrusion_detection", "library", "malware"),
        *("network", "package", "process", "registry", "session", "threat"),
        *("vulnerability", "web"),
    },
    "event.type": {
        *("access", "admin", "allowed", "change", "connection", "creation"),
        *("deletion", "denied", "device", "end", "error", "group", "indicator"),
        *("info", "installation", "protocol", "start", "user"),
    },
    "event.outcome": {"failure", "success", "unknown"},
}
"""What ECS allows in these fields."""
HEC_KEYS = {"time", "host", "source", "sourcetype", "index", "event", "fields"}
"""All that the envelope may have."""

LINES = [
    an_event(event=event, level=level, **more)
    for event in Event
    for level in LogLevel
    for more in (
        {"message": "", "status": "ok"},
        {"dst": "wire/ä.freq", "status": "error", "message": 'a "b"\n\x1b'},
    )
]


@pytest.mark.parametrize("log_format", LogFormat)
def test_line_can_be_read_back_from_every_format(log_format: LogFormat) -> None:
    encode = encoder_of(log_format)
    for line in LINES:
        data = encode(line)
        assert b"\n" not in data
        assert event_in(data) == line


def test_ecs_has_fields_of_its_list_with_their_types() -> None:
    for line in LINES:
        facts = to_ecs(line)
        assert list(facts)[:3] == ["@timestamp", "log.level", "message"]
        for name, value in facts.items():
            kind = ECS_FIELDS[name]
            if kind == "array":
                assert isinstance(value, list)
                assert all(isinstance(each, str) for each in value)
            elif kind == "object":
                assert isinstance(value, dict)
                assert all(isinstance(each, str) for each in value.values())
                assert not any("." in key for key in value)
            else:
                assert isinstance(value, str)
        for name, allowed in ECS_VALUES.items():
            value = facts[name]
            assert (
                {value} <= allowed if isinstance(value, str) else set(value) <= allowed
            )  # type: ignore[call-overload]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", str(facts["@timestamp"]))


def test_ecs_tells_outcomes_apart() -> None:
    def outcome(event: Event, level: LogLevel, status: str) -> object:
        facts = to_ecs(an_event(event=event, level=level, status=status))
        return facts["event.outcome"], facts["event.type"]

    assert outcome(Event.ENCODE, LogLevel.INFO, "ok") == ("success", ["creation"])
    assert outcome(Event.COLLISION, LogLevel.ERROR, "error") == ("failure", ["error"])
    assert outcome(Event.POLICY_BLOCK, LogLevel.WARN, "blocked") == (
        "failure",
        ["denied"],
    )
    assert outcome(Event.SWEPT, LogLevel.WARN, "warning") == ("unknown", ["info"])


def test_hec_has_its_keys_and_flat_fields() -> None:
    for line in LINES:
        envelope = to_hec(line)
        assert set(envelope) <= HEC_KEYS
        assert envelope["time"] == 1800000000.123
        fields = envelope["fields"]
        assert isinstance(fields, dict)
        assert all(isinstance(each, str) for each in fields.values())
        event = msgspec.convert(envelope["event"], EventLine)
        assert event == line


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"event": {}}',
        b'{"@timestamp": "x"}',
        b'{"event.dataset": "paxect-batch.log", "message": 5}',
        b'{"event.dataset": "other.log", "event.action": "encode"}',
        b"[" * 5000,
    ],
)
def test_line_that_holds_no_event_is_none(data: bytes) -> None:
    assert event_in(data) is None
