"""Events: what an operator may want to know, from one catalogue."""

from __future__ import annotations

import enum

import msgspec

from paxect_batch.model.pace import PaceStep
from paxect_batch.model.policy import LogLevel


class Event(enum.StrEnum):
    """Every event there is. Those of Link 1.2.0 keep their names."""

    STARTUP = "startup"
    SHUTDOWN = "shutdown"
    ENCODE = "encode"
    DECODE = "decode"
    ENCODE_ERROR = "encode_error"
    DECODE_ERROR = "decode_error"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    POLICY_BLOCK = "policy_block"
    HANDSHAKE = "handshake"
    HANDSHAKE_REJECT = "handshake_reject"
    HANDSHAKE_NONE = "handshake_none"
    HANDSHAKE_PARSE_ERROR = "handshake_parse_error"
    PATH_OUTSIDE_INBOX = "path_outside_inbox"
    COLLISION = "collision"
    SET_ASIDE = "set_aside"
    CHANGED = "changed"
    RECOVERED = "recovered"
    SWEPT = "swept"
    TAKE_OVER = "take_over"
    LEASE_LOST = "lease_lost"
    MIXED = "mixed"
    WORKER_DIED = "worker_died"
    SHARE_TROUBLE = "share_trouble"
    SHARE_BACK = "share_back"
    POLICY_CHANGED = "policy_changed"
    POLICY_REFUSED = "policy_refused"
    LEDGER_TORN = "ledger_torn"
    BIAS = "bias"
    LOG_TROUBLE = "log_trouble"
    PACE = "pace"
    PACE_SEEN = "pace_seen"


LEVELS: dict[Event, LogLevel] = {
    Event.PACE_SEEN: LogLevel.DEBUG,
    Event.ENCODE_ERROR: LogLevel.ERROR,
    Event.DECODE_ERROR: LogLevel.ERROR,
    Event.CHECKSUM_MISMATCH: LogLevel.ERROR,
    Event.POLICY_BLOCK: LogLevel.WARN,
    Event.HANDSHAKE_REJECT: LogLevel.WARN,
    Event.HANDSHAKE_PARSE_ERROR: LogLevel.WARN,
    Event.PATH_OUTSIDE_INBOX: LogLevel.WARN,
    Event.COLLISION: LogLevel.ERROR,
    Event.SET_ASIDE: LogLevel.ERROR,
    Event.WORKER_DIED: LogLevel.ERROR,
    Event.SHARE_TROUBLE: LogLevel.ERROR,
    Event.POLICY_REFUSED: LogLevel.ERROR,
    Event.LEDGER_TORN: LogLevel.WARN,
    Event.BIAS: LogLevel.ERROR,
    Event.LOG_TROUBLE: LogLevel.ERROR,
    Event.SWEPT: LogLevel.WARN,
    Event.TAKE_OVER: LogLevel.WARN,
    Event.LEASE_LOST: LogLevel.ERROR,
    Event.MIXED: LogLevel.WARN,
    Event.CHANGED: LogLevel.WARN,
}
"""Events that are not of level info."""


class EventLine(msgspec.Struct, frozen=True):
    """One event, as it stands in the log."""

    datetime_utc: str
    level: LogLevel
    event: Event
    src: str
    dst: str
    status: str
    message: str
    version: str
    node: str = ""
    run: str = ""
    pace: PaceStep | msgspec.UnsetType = msgspec.UNSET
    """A decision on the pace with all that it follows from, if that is the event."""
