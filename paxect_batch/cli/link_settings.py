"""The environment variables of Link 1.2.0, read strictly; pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from paxect_batch.cli.kinds import PATH, Kind, Value, seconds, whole
from paxect_batch.model.errors import ConfigError

PREFIX = "PAXECT_LINK_"


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a Link is configured; the defaults are those of the original."""

    inbox: str = "inbox"
    outbox: str = "outbox"
    policy: str = "link_policy.json"
    manifest: str = "link_manifest.json"
    log: str = "paxect_link_log.jsonl"
    lock: str = ".paxect_link.lock"
    poll_sec: float = 2.0
    backoff_sec: float = 2.0
    log_max: int = 5 << 20


_KINDS: dict[str, Kind] = {
    "poll_sec": seconds(0.05, 86400),
    "backoff_sec": seconds(0, 86400),
    "log_max": whole(4096, 1 << 40),
}


def link_settings(environ: Mapping[str, str]) -> LinkSettings:
    """Return what the variables ask for, or raise `ConfigError` for one of them."""
    values: dict[str, Value] = {}
    for field in LinkSettings.__struct_fields__:
        variable = PREFIX + field.upper()
        text = environ.get(variable)
        if text is None:
            continue
        kind = _KINDS.get(field, PATH)
        values[field] = kind.from_text(text)
        if values[field] is None:
            raise ConfigError(
                f"environment variable {variable} is {text!r}; nothing was touched; "
                f"use {kind.right}, or unset it"
            )
    return LinkSettings(**values)  # type: ignore[arg-type]
