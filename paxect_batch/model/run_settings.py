"""By which settings a run went, and where each came from."""

from __future__ import annotations

import msgspec


class SettingInForce(msgspec.Struct, frozen=True):
    """One setting, as it was for the whole run."""

    value: str | int | float | bool | None
    origin: str


class RunSettings(msgspec.Struct, frozen=True):
    """`.paxect/settings/NODE/RUN.json`: all settings of one run."""

    node: str
    run: str
    settings: dict[str, SettingInForce]
