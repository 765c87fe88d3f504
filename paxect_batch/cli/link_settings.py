"""The environment variables of Link 1.2.0, read strictly; pure."""

from __future__ import annotations

import difflib
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


VARIABLES = (
    *(PREFIX + field.upper() for field in LinkSettings.__struct_fields__),
    f"{PREFIX}HMAC_KEY",  # read by `world.keys`
)
"""Every variable that Link 1.2.0 reads but PAXECT_CORE."""

_KINDS: dict[str, Kind] = {
    "poll_sec": seconds(0.05, 86400),
    "backoff_sec": seconds(0, 86400),
    "log_max": whole(4096, 1 << 40),
}


def link_settings(environ: Mapping[str, str]) -> LinkSettings:
    """Return what the variables ask for, or raise `ConfigError` for one of them."""
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in VARIABLES:
            raise ConfigError(
                f"environment variable {name} ({value!r}) is unknown"
                f"{_closest(name)}; nothing was touched; unset it, or see "
                "paxect-link --help for those there are"
            )
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


def _closest(variable: str) -> str:
    names = [known.removeprefix(PREFIX) for known in VARIABLES]
    close = difflib.get_close_matches(variable.removeprefix(PREFIX), names, 1)
    return f"; did you mean {PREFIX}{close[0]}?" if close else ""
