"""Events in the formats of log systems, each a JSON line; and read back from them.

`jsonl` is our own, `ecs` has the names of the Elastic Common Schema, `splunk-hec` is
the envelope of Splunk's HTTP Event Collector around our own. Nothing is lost in any.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime

import msgspec

from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.policy import LogLevel

ECS_VERSION = "8.11.0"
SERVICE = "paxect-batch"
DATASET = "paxect-batch.log"
SOURCE_TYPE = "paxect:batch"


class LogFormat(enum.StrEnum):
    """How events are written down."""

    JSONL = "jsonl"
    ECS = "ecs"
    SPLUNK_HEC = "splunk-hec"


_TYPES = {
    Event.STARTUP: "start",
    Event.SHUTDOWN: "end",
    Event.ENCODE: "creation",
    Event.DECODE: "creation",
    Event.POLICY_BLOCK: "denied",
    Event.HANDSHAKE_REJECT: "denied",
    Event.POLICY_CHANGED: "change",
    Event.CHANGED: "change",
}
"""Types of ECS, of events that are more than information or an error."""
_PROCESS_EVENTS = frozenset(
    {Event.STARTUP, Event.SHUTDOWN, Event.WORKER_DIED, Event.LEASE_LOST}
)
_OUTCOMES = {"ok": "success"}

_encoder = msgspec.json.Encoder()
_own = msgspec.json.Decoder(EventLine)


class _Hec(msgspec.Struct):
    event: EventLine


_hec = msgspec.json.Decoder(_Hec)


def encoder_of(log_format: LogFormat) -> Callable[[EventLine], bytes]:
    """Return what turns an event into a line, without its end."""
    return {
        LogFormat.JSONL: _encoder.encode,
        LogFormat.ECS: lambda line: _encoder.encode(to_ecs(line)),
        LogFormat.SPLUNK_HEC: lambda line: _encoder.encode(to_hec(line)),
    }[log_format]


def event_in(data: bytes) -> EventLine | None:
    """Return the event of a line in any of the formats; None if there is none in it."""
    for decode in (_own.decode, _from_ecs, lambda each: _hec.decode(each).event):
        try:
            return decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
    return None


def to_ecs(line: EventLine) -> dict[str, object]:
    """Return the event by the names of ECS, its first fields in the order asked for."""
    facts: dict[str, object] = {
        "@timestamp": line.datetime_utc,
        "log.level": str(line.level),
        "message": line.message or str(line.event),
        "ecs.version": ECS_VERSION,
        "event.action": str(line.event),
        "event.kind": "event",
        "event.category": ["process" if line.event in _PROCESS_EVENTS else "file"],
        "event.type": [_type_of(line)],
        "event.outcome": _outcome_of(line),
        "event.dataset": DATASET,
        "service.name": SERVICE,
        "service.version": line.version,
        "service.node.name": line.node,
        "labels": {"run": line.run, "status": line.status},
    }
    if line.src:
        facts["file.path"] = line.src
    if line.dst:
        facts["file.target_path"] = line.dst
    if line.level is LogLevel.ERROR:
        facts["error.message"] = line.message
    own = {
        name: value
        for name, value in msgspec.to_builtins(line).items()
        if name not in _ECS_HAS
    }
    # What ECS has no name for stands under ours, which it leaves to us.
    if own:
        facts["paxect"] = own
    return facts


_ECS_HAS = frozenset(
    {"datetime_utc", "level", "event", "src", "dst", "status", "message"}
    | {"version", "node", "run"}
)


def to_hec(line: EventLine) -> dict[str, object]:
    """Return the event in the envelope of HEC, with what is to be indexed."""
    return {
        "time": round(datetime.fromisoformat(line.datetime_utc).timestamp(), 3),
        "host": line.node,
        "source": SERVICE,
        "sourcetype": SOURCE_TYPE,
        "event": msgspec.to_builtins(line),
        "fields": {
            "node": line.node,
            "run": line.run,
            "level": str(line.level),
            "event_name": str(line.event),
        },
    }


def _type_of(line: EventLine) -> str:
    is_error = line.level is LogLevel.ERROR
    return "error" if is_error else _TYPES.get(line.event, "info")


def _outcome_of(line: EventLine) -> str:
    if line.level is LogLevel.ERROR or line.event is Event.POLICY_BLOCK:
        return "failure"
    return _OUTCOMES.get(line.status, "unknown")


def _from_ecs(data: bytes) -> EventLine:
    facts = msgspec.json.decode(data, type=dict[str, object])
    if facts.get("event.dataset") != DATASET:
        raise ValueError("no event of ours")
    labels = facts.get("labels")
    own = facts.get("paxect")
    action, message = facts.get("event.action"), facts.get("message")
    return msgspec.convert(
        {
            **(own if isinstance(own, dict) else {}),
            **(labels if isinstance(labels, dict) else {}),
            "datetime_utc": facts.get("@timestamp"),
            "level": facts.get("log.level"),
            "event": action,
            "src": facts.get("file.path", ""),
            "dst": facts.get("file.target_path", ""),
            "message": "" if message == action else message,
            "version": facts.get("service.version"),
            "node": facts.get("service.node.name", ""),
        },
        EventLine,
    )
