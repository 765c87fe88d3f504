"""Amounts as people read them: sizes, times and rates in a few characters."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def size_text(count: float) -> str:
    """Return a number of bytes with three digits or so, in decimal units."""
    unit = 0
    while unit + 1 < len(_UNITS) and abs(count) >= 999.95:
        count /= 1000
        unit += 1
    return f"{count:.0f} B" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def time_text(seconds: float) -> str:
    """Return a span of time in its two largest units."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def count_text(count: int, noun: str) -> str:
    """Return a number of things, in singular or plural."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def clip(text: str, columns: int) -> str:
    """Return the text in so many columns, its middle left out if need be."""
    if len(text) <= columns:
        return text
    tail = (columns - 3) // 2
    return text[: columns - 3 - tail] + "..." + text[len(text) - tail :]


def clip_end(text: str, columns: int) -> str:
    """Return the text in so many columns, its end left out if need be."""
    return text if len(text) <= columns else text[: columns - 3] + "..."
