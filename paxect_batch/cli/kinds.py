"""Kinds of settings: how each is read from text and from TOML, and what is right.

Strict: what is not plainly meant is refused, and nothing falls back to a default.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from paxect_core.structs import Struct

Value = str | int | float | bool | None

WORKERS_MAX = 256
FILES_MAX = 10**12
NODE_LETTERS_MAX = 63
_UNBOUNDED = 10**9
"""A bound that nobody meets need not be named."""

_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_RATE = re.compile(
    r"(\d{1,12}(?:\.\d{1,3})?)\s?([KMGT]?)(i?)B(?:/s|ps)?", re.IGNORECASE
)
_HOURS = re.compile(
    r"([01]?[0-9]|2[0-3]):([0-5][0-9])-([01]?[0-9]|2[0-4]):([0-5][0-9])"
    r"(?:@(\d{1,2})%)?"
)
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^:\s\[\]]{1,64})):(\d{1,5})")
_SPAN = re.compile(r"(?=.)(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")


class Kind(Struct):
    """What a setting may be; the readers return None for what it may not."""

    right: str
    """What would be right, for the message."""
    from_text: Callable[[str], Value]
    from_toml: Callable[[object], Value]
    words: tuple[str, ...] = ()
    """All that it may be, if these are few."""


def text(right: str, fits: Callable[[str], bool]) -> Kind:
    """Return the kind of text that fits."""

    def from_toml(value: object) -> Value:
        return value if isinstance(value, str) and fits(value) else None

    return Kind(right, lambda word: word if fits(word) else None, from_toml)


def choice(*words: str) -> Kind:
    """Return the kind that is one of some words."""
    right = " or ".join((", ".join(words[:-1]), words[-1]))
    kind = text(right, words.__contains__)
    return Kind(right, kind.from_text, kind.from_toml, words)


def whole(least: int, most: int, right: str = "") -> Kind:
    """Return the kind that is a whole number within bounds."""

    def from_toml(value: object) -> Value:
        fits = type(value) is int and least <= value <= most
        return value if fits and isinstance(value, int) else None

    def from_text(word: str) -> Value:
        return from_toml(int(word)) if re.fullmatch(r"\d{1,15}", word) else None

    bounds = f"{least} up" if most >= _UNBOUNDED else f"{least} to {most}"
    return Kind(right or f"a whole number from {bounds}", from_text, from_toml)


def or_auto(kind: Kind) -> Kind:
    """Return the kind that may also be `auto`, which is read as 0."""
    return Kind(
        f"{kind.right}, or auto",
        lambda word: 0 if word == "auto" else kind.from_text(word),
        lambda value: 0 if value == "auto" else kind.from_toml(value),
    )


def seconds(least: float, most: float) -> Kind:
    """Return the kind that is a number of seconds within bounds."""

    def from_toml(value: object) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if least <= value <= most else None

    def from_text(word: str) -> Value:
        fits = re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?|\.\d{1,9}", word)
        return from_toml(float(word)) if fits else None

    return Kind(f"seconds from {least:g} to {most:g}", from_text, from_toml)


def _switch() -> Kind:
    words = dict.fromkeys(("1", "true", "yes", "on"), True)
    words |= dict.fromkeys(("0", "false", "no", "off"), False)
    return Kind(
        "true or false",
        lambda word: words.get(word.lower()),
        lambda value: value if isinstance(value, bool) else None,
    )


def _is_path(word: str) -> bool:
    return bool(word) and "\0" not in word


def _is_node(word: str) -> bool:
    return len(word) <= NODE_LETTERS_MAX and bool(_NODE.fullmatch(word))


def _is_deadline(word: str) -> bool:
    if _TIME.fullmatch(word):
        return True
    span = _SPAN.fullmatch(word)
    return span is not None and any(int(part or 0) for part in span.groups())


def address(words: str) -> tuple[str, int] | None:
    """Return the host and port of an address, or None if it is none."""
    found = _ADDRESS.fullmatch(words)
    if found is None or int(found[3]) > 65535:
        return None
    host = found[1] or found[2]
    if host == "localhost":
        return "127.0.0.1", int(found[3])
    from ipaddress import ip_address

    try:
        ip_address(host)
    except ValueError:
        return None
    return host, int(found[3])


PATH = text("the path of a file or folder", _is_path)
ADDRESS = text(
    "an address and a port, such as 127.0.0.1:8081 or [::1]:8081",
    lambda word: address(word) is not None,
)
NODE = text(
    f"up to {NODE_LETTERS_MAX} letters, digits, dots, dashes and underscores, "
    "beginning with a letter or digit",
    _is_node,
)
RATE = text(
    "bytes a second, such as 50MB/s or 4MiB/s",
    lambda word: rate_bytes(word) is not None,
)
QUIET_HOURS = text(
    "hours such as 08:00-18:00, or 08:00-18:00@25% for a quarter of the pace",
    lambda word: quiet_hours(word) is not None,
)
NICENESS_MAX = 19
DEADLINE = text("a time such as 05:30, or a span such as 2h or 1h30m", _is_deadline)
SWITCH = _switch()


def rate_bytes(words: str) -> int | None:
    """Return how many bytes a second a rate such as `50MB/s` is, or None if it is none.

    `kB`, `MB` and `GB` count in thousands, `KiB`, `MiB` and `GiB` in 1024.
    """
    found = _RATE.fullmatch(words)
    if found is None or (found[3] and not found[2]):
        return None
    each = (1024 if found[3] else 1000) ** " KMGT".index(found[2].upper() or " ")
    rate = int(float(found[1]) * each)
    return rate if rate > 0 else None


def quiet_hours(words: str) -> tuple[tuple[int, int, float], ...] | None:
    """Return from and to, in minutes of the day, and the pace; None if none are meant.

    `08:00-18:00` is nothing at all, `08:00-18:00@25%` a quarter; several after commas.
    """
    hours = []
    for word in words.split(","):
        found = _HOURS.fullmatch(word.strip())
        if found is None:
            return None
        begin = int(found[1]) * 60 + int(found[2])
        end = int(found[3]) * 60 + int(found[4])
        if end > 1440 or begin == end:
            return None
        hours.append((begin, end, int(found[5] or 0) / 100))
    return tuple(hours)


def deadline_seconds(deadline: str, *, hour: int, minute: int, second: int) -> float:
    """Return how long it is to a deadline, given the local time of day.

    A time of day that has passed is tomorrow's; the clock's changes to and from summer
    time move it by what they move the clock.
    """
    time = _TIME.fullmatch(deadline)
    if time:
        then = int(time[1]) * 3600 + int(time[2]) * 60
        return float((then - (hour * 3600 + minute * 60 + second)) % 86400)
    span = _SPAN.fullmatch(deadline)
    assert span is not None, "a deadline that was checked is needed"
    hours, minutes, rest = (int(part or 0) for part in span.groups())
    return float(hours * 3600 + minutes * 60 + rest)
