"""Plots for a report, as SVG that needs no script and prints as it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from paxect_batch.report.amounts import time_text

_WIDE, _HIGH = 760, 190
_LEFT, _TOP, _BOTTOM = 70, 8, 166
_STEPS = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)


def bars(
    values: list[int], *, seconds: float, words: Callable[[float], str], label: str
) -> str:
    """Return a plot of one number for each span of the time."""
    most = round_up(max(values, default=0))
    wide = (_WIDE - _LEFT) / max(len(values), 1)
    parts = [
        f'<rect class="bar" x="{_LEFT + at * wide:.1f}" '
        f'y="{_BOTTOM - _tall(value, most):.1f}" width="{max(wide - 0.8, 0.5):.1f}" '
        f'height="{_tall(value, most):.1f}"/>'
        for at, value in enumerate(values)
        if value
    ]
    return _framed(parts, most, seconds=seconds, words=words, label=label)


def lines(
    series: dict[str, list[int]],
    *,
    seconds: float,
    words: Callable[[float], str],
    label: str,
) -> str:
    """Return a plot of several numbers, each as steps of its own kind of line."""
    most = round_up(max((max(each, default=0) for each in series.values()), default=0))
    parts = []
    for number, (name, values) in enumerate(series.items()):
        wide = (_WIDE - _LEFT) / max(len(values), 1)
        points = []
        for at, value in enumerate(values):
            y = _BOTTOM - _tall(value, most)
            points += [f"{_LEFT + at * wide:.1f},{y:.1f}"]
            points += [f"{_LEFT + (at + 1) * wide:.1f},{y:.1f}"]
        parts.append(
            f'<polyline class="line{number}" points="{" ".join(points)}">'
            f"<title>{escape(name)}</title></polyline>"
        )
    return _framed(parts, most, seconds=seconds, words=words, label=label)


def round_up(value: float) -> float:
    """Return a round number that is no less, to end a scale with."""
    if value <= _STEPS[5]:
        return _STEPS[5]
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(step * power for step in _STEPS if step * power >= value)


def _tall(value: float, most: float) -> float:
    return (_BOTTOM - _TOP) * value / most


def _framed(
    parts: list[str],
    most: float,
    *,
    seconds: float,
    words: Callable[[float], str],
    label: str,
) -> str:
    frame = "".join(_frame(most, seconds=seconds, words=words))
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(label)}">'
        f"{frame}{''.join(parts)}</svg>"
    )


def _frame(
    most: float, *, seconds: float, words: Callable[[float], str]
) -> Iterator[str]:
    for part in (0.0, 0.5, 1.0):
        y = _BOTTOM - (_BOTTOM - _TOP) * part
        yield f'<line x1="{_LEFT}" x2="{_WIDE}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">'
        yield f"{escape(words(most * part))}</text>"
    marks = ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    for part, anchor in marks:
        x = _LEFT + (_WIDE - _LEFT) * part
        yield f'<text x="{x:.0f}" y="{_HIGH - 6}" class="{anchor}">'
        yield f"{escape(time_text(seconds * part))}</text>"
