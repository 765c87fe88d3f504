"""Records and audits for the tests of the folds, with only what a test cares for."""

from typing import Any

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import LogLevel
from paxect_batch.model.records import Fate, Record


def a_record(name: str = "a.txt", **changes: Any) -> Record:
    fields: dict[str, Any] = {
        "fate": Fate.DELIVERED,
        "direction": Direction.DECODE,
        "source": Place(Root.WIRE, name + ".freq"),
        "identity": Identity(80, 1, 2),
        "target": Place(Root.OUTBOX, name),
        "raw_bytes": 12,
        "raw_sha256": "aa" * 32,
        "container_bytes": 80,
        "container_sha256": "bb" * 32,
    }
    return Record(**(fields | changes))


def an_audit(**changes: Any) -> Audit:
    fields: dict[str, Any] = {
        "bias_flags": 0,
        "deterministic": True,
        "seen": Tally(),
        "delivered": Tally(),
        "set_aside": Tally(),
        "blocked": Tally(),
        "waiting": Tally(),
        "encoded": Tally(),
        "decoded": Tally(),
        "recovered": 0,
        "batch_digest": "0" * 64,
        "policy_sha256": "1" * 64,
        "codec": "zstd 1.5.7",
        "node": "n1",
        "run": "r1",
        "mode": "relay",
        "started": "2026-01-02T03:04:05Z",
        "duration_seconds": 1.5,
        "exit_code": 0,
        "version": "1.0",
    }
    return Audit(**(fields | changes))


def an_event(**changes: Any) -> EventLine:
    fields: dict[str, Any] = {
        "datetime_utc": "2027-01-15T08:00:00.123Z",
        "level": LogLevel.INFO,
        "event": Event.ENCODE,
        "src": "inbox/a.txt",
        "dst": "",
        "status": "ok",
        "message": "",
        "version": "1.0",
        "node": "n1",
        "run": "r1",
    }
    return EventLine(**(fields | changes))
