"""Settings: flags over environment over a file over defaults, each with its origin.

The only reader of environment variables but `world/keys.py`. An unknown key, a wrong
type or an impossible value is a `ConfigError` that names where it stands and what would
be right; nothing is ever replaced by a default in silence.
"""

from __future__ import annotations

import enum
import os
import re
import socket
from collections.abc import Mapping

import msgspec

from paxect_batch.cli import kinds
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.kinds import Kind, Value
from paxect_batch.model.errors import ConfigError
from paxect_batch.model.items import Mode
from paxect_batch.report.log_formats import LogFormat
from paxect_batch.rules.toml import parse_toml

PREFIX = "PAXECT_BATCH_"
LINK_PREFIX = "PAXECT_LINK_"
CONFIG_BYTES_MAX = 1 << 20

_OTHER_VARIABLES = ("CONFIG", "HMAC_KEY")
"""Variables with our prefix that are no settings."""


class Layer(enum.IntEnum):
    """Where a value stands; a lower number wins."""

    FLAG = 0
    ENVIRONMENT = 1
    FILE = 2
    DEFAULT = 3


class Origin(msgspec.Struct, frozen=True):
    """Which layer a value came from, and where exactly it stands."""

    layer: Layer
    place: str

    def __str__(self) -> str:
        return self.place


class Setting(msgspec.Struct, frozen=True):
    """One setting: its kind, its default, and the variable it has in Link, if any."""

    kind: Kind
    default: Value = None
    link_variable: str = ""
    is_path: bool = False


def _path(link_variable: str = "") -> Setting:
    return Setting(kinds.PATH, None, link_variable, is_path=True)


SETTINGS: dict[str, Setting] = {
    "share": _path(),
    "inbox": _path("INBOX"),
    "outbox": _path("OUTBOX"),
    "wire": _path(),
    "policy": _path("POLICY"),
    "hmac_key_file": _path(),
    "node": Setting(kinds.NODE),
    "direction": Setting(kinds.choice("encode", "decode", "relay"), "relay"),
    "workers": Setting(kinds.or_auto(kinds.whole(1, kinds.WORKERS_MAX)), 0),
    "poll_seconds": Setting(kinds.seconds(0.05, 86400), 2.0, "POLL_SEC"),
    "deadline": Setting(kinds.DEADLINE),
    "max_files": Setting(kinds.whole(1, kinds.FILES_MAX)),
    "max_rate": Setting(kinds.RATE),
    "max_files_per_minute": Setting(kinds.whole(1, kinds.FILES_MAX)),
    "quiet_hours": Setting(kinds.QUIET_HOURS),
    "nice": Setting(kinds.whole(0, kinds.NICENESS_MAX), 0),
    "pace": Setting(kinds.SWITCH, default=True),
    "wait": Setting(kinds.SWITCH, default=False),
    "allow_mixed": Setting(kinds.SWITCH, default=False),
    "log": _path("LOG"),
    "log_format": Setting(kinds.choice("jsonl", "ecs", "splunk-hec"), "jsonl"),
    "log_bytes_max": Setting(kinds.whole(4096, 1 << 40), 5 << 20, "LOG_MAX"),
    "listen": Setting(kinds.ADDRESS),
    "listen_anywhere": _path(),
    "junit": _path(),
    "textfile": _path(),
    "progress": Setting(kinds.SWITCH),
    "summary": Setting(kinds.SWITCH),
    "quiet": Setting(kinds.SWITCH, default=False),
    "json": Setting(kinds.SWITCH, default=False),
}
_FOLDERS = ("inbox", "outbox", "wire")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one command, in force."""

    share: str | None
    inbox: str | None
    outbox: str | None
    wire: str | None
    policy: str | None
    hmac_key_file: str | None
    node: str
    direction: Mode
    workers: int
    """0: one for each core."""
    poll_seconds: float
    deadline: str | None
    max_files: int | None
    max_rate: str | None
    max_files_per_minute: int | None
    quiet_hours: str | None
    nice: int
    pace: bool
    """Whether the pace follows what is observed, besides what is set here."""
    wait: bool
    allow_mixed: bool
    log: str | None
    log_format: LogFormat
    log_bytes_max: int
    listen: str | None
    listen_anywhere: str | None
    """The file with the token that whoever asks from elsewhere has to have."""
    junit: str | None
    textfile: str | None
    progress: bool | None
    """None: on a terminal."""
    summary: bool | None
    """None: when a person may be reading."""
    quiet: bool
    json: bool
    origins: dict[str, Origin]
    file: str | None
    """The file that was read, if any."""


def environment() -> Mapping[str, str]:
    """Return the environment variables, for what reads its own from them."""
    return os.environ


def load(
    arguments: Arguments,
    *,
    share: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings in force for a command, its SHARE operand given apart."""
    variables = os.environ if environ is None else environ
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    flags = _from_flags(arguments)
    if share is not None:
        value = _read_text(SETTINGS["share"], share, "SHARE")
        flags["share"] = (value, Origin(Layer.FLAG, "SHARE"))
    surroundings = _from_environment(variables)
    named = (flags | {k: v for k, v in surroundings.items() if k not in flags}).get(
        "share"
    )
    path, explicit = _config_path(arguments, variables, named and str(named[0]))
    layers = (flags, surroundings, _from_file(path, explicit=explicit))
    for layer in layers:
        for name, (value, origin) in layer.items():
            if name not in values:
                values[name], origins[name] = value, origin
    _settle_folders(values, origins)
    for name, setting in SETTINGS.items():
        if name not in values:
            values[name] = _host_node() if name == "node" else setting.default
            origins[name] = Origin(Layer.DEFAULT, "default")
    values["direction"] = Mode(str(values["direction"]))
    facts = {**values, "origins": origins, "file": path}
    return msgspec.convert(facts, Settings)


def _from_flags(arguments: Arguments) -> dict[str, tuple[Value, Origin]]:
    found: dict[str, tuple[Value, Origin]] = {}
    for word, text in arguments.values.items():
        name = word.removeprefix("no-").replace("-", "_")
        setting = SETTINGS.get(name)
        if setting is None:
            continue
        origin = Origin(Layer.FLAG, f"--{word}")
        if setting.kind is kinds.SWITCH:
            found[name] = (not word.startswith("no-"), origin)
        else:
            found[name] = (_read_text(setting, text, origin.place), origin)
    return found


def _from_environment(
    variables: Mapping[str, str],
) -> dict[str, tuple[Value, Origin]]:
    known = {PREFIX + name.upper(): name for name in SETTINGS}
    for variable in variables:
        other = variable.removeprefix(PREFIX) in _OTHER_VARIABLES
        if variable.startswith(PREFIX) and variable not in known and not other:
            raise ConfigError(
                f"environment variable {variable} ({variables[variable]!r}) is "
                f"unknown{_closest(variable, list(known), PREFIX)}; nothing was "
                "touched; unset it"
            )
    found: dict[str, tuple[Value, Origin]] = {}
    for name, setting in SETTINGS.items():
        names = [PREFIX + name.upper()]
        if setting.link_variable:
            names.append(LINK_PREFIX + setting.link_variable)
        for variable in names:
            if variable in variables:
                origin = Origin(Layer.ENVIRONMENT, variable)
                value = _read_text(setting, variables[variable], variable)
                if setting.is_path:
                    value = os.path.expanduser(str(value))
                found[name] = (value, origin)
                break
    return found


def _config_path(
    arguments: Arguments, variables: Mapping[str, str], share: str | None
) -> tuple[str | None, bool]:
    """Return the settings file and whether it was named, so that it must be there."""
    variable = f"{PREFIX}CONFIG"
    for place, named in (
        ("--config", arguments.values.get("config")),
        (variable, variables.get(variable)),
    ):
        if named is not None:
            return os.path.expanduser(str(_read_text(_path(), named, place))), True
    home = variables.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    places = [os.path.join(home, "paxect-batch", "config.toml")]
    if share:
        places.insert(0, os.path.join(share, ".paxect", "config.toml"))
    return next((path for path in places if os.path.lexists(path)), None), False


def _from_file(path: str | None, *, explicit: bool) -> dict[str, tuple[Value, Origin]]:
    if path is None:
        return {}
    found: dict[str, tuple[Value, Origin]] = {}
    folder = os.path.dirname(os.path.abspath(path))
    for key, value in _read_toml(path, explicit=explicit).items():
        setting = SETTINGS.get(key)
        if setting is None:
            raise ConfigError(
                f"{path}: {key!r} (with {value!r}) is no setting"
                f"{_closest(key, list(SETTINGS))}; nothing was touched; take it out "
                "or correct it"
            )
        read = setting.kind.from_toml(value)
        if read is None:
            raise _wrong(f"{path}: {key}", value, setting)
        if setting.is_path:
            # What a file names is beside it, wherever the command is given.
            read = os.path.join(folder, os.path.expanduser(str(read)))
        found[key] = (read, Origin(Layer.FILE, path))
    return found


def _read_toml(path: str, *, explicit: bool) -> dict[str, object]:
    try:
        with open(path, "rb") as stream:
            data = stream.read(CONFIG_BYTES_MAX + 1)
        if len(data) > CONFIG_BYTES_MAX:
            raise ConfigError(
                f"{path} is larger than {CONFIG_BYTES_MAX} bytes, which no settings "
                "file is; nothing was touched; name the right file"
            )
        return parse_toml(data)
    except OSError as error:
        named = "the file named by --config or its variable" if explicit else "it"
        raise ConfigError(
            f"reading settings from {path!r} gave {error.strerror or error}; nothing "
            f"was touched; see that {named} can be read"
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{path} is no TOML: {error}; nothing was touched; correct it there"
        ) from error


def _settle_folders(values: dict[str, Value], origins: dict[str, Origin]) -> None:
    """Decide between a share and folders of one's own, where both are set.

    What stands in a stronger layer counts; within one layer it cannot be meant.
    """
    if "share" not in values:
        return
    share = origins["share"].layer
    for name in _FOLDERS:
        if name in values and origins[name].layer <= share:
            if name == "inbox" and origins[name].layer < share:
                del values["share"], origins["share"]
                return
            raise ConfigError(
                f"{origins[name]} and {origins['share']} cannot be meant together; "
                "nothing was touched; name a share, or an inbox and an outbox"
            )
    for name in _FOLDERS:
        values.pop(name, None)
        origins.pop(name, None)


def _read_text(setting: Setting, text: str, place: str) -> Value:
    value = setting.kind.from_text(text)
    if value is None:
        raise _wrong(place, text, setting)
    return value


def _wrong(place: str, value: object, setting: Setting) -> ConfigError:
    return ConfigError(
        f"{place} is {value!r}; nothing was touched; use {setting.kind.right}"
    )


def _closest(word: str, known: list[str], prefix: str = "") -> str:
    # What all have in common makes nothing similar.
    names = [name.removeprefix(prefix) for name in known]
    from difflib import get_close_matches

    close = get_close_matches(word.removeprefix(prefix), names, 1)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


def _host_node() -> str:
    """Return the host's name, in the letters that a node may have."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())
    return name.lstrip("._-")[: kinds.NODE_LETTERS_MAX] or "node"
