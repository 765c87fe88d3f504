"""What benchmarks found, as an SVG that reads well on light and on dark pages; pure.

A bar is how many times as fast as its rival ours was, with the range of the rounds; a
tick is the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from statistics import median

from benchmarks.report import Case

_WIDTH = 740
_LABEL = 300
_RIGHT = 70
_ROW = 40
_HEAD = 56
_FOOT = 34
_BAR = 14
_SCALE_STEP = 0.5

_STYLE = """\
text{font:13px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1f2933}
.ground{fill:#fbfbf9;stroke:#c9d1d9}.title{font-size:15px;font-weight:600}
.small{font-size:11px;fill:#5b6875}.grid{stroke:#dde3e8}.even{stroke:#5b6875}
.faster{fill:#1b6e37}.slower{fill:#b45f06}.range{stroke:#1f2933}
.target{stroke:#0b4f79;stroke-width:2}"""


def svg(cases: Sequence[Case]) -> str:
    """Return the image of all cases against tools that people use."""
    shown = [case for case in cases if case.against]
    return "\n".join(_svg(shown)) + "\n"


def _svg(cases: Sequence[Case]) -> Iterator[str]:
    height = _HEAD + _ROW * len(cases) + _FOOT
    most = max(max(*case.ratios, case.target or 0) for case in cases)
    steps = int(most / _SCALE_STEP) + 1
    unit = (_WIDTH - _LABEL - _RIGHT) / (steps * _SCALE_STEP)
    title = "How many times as fast as the tools people use now"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label="{title}">'
    )
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield (
        f'<rect class="ground" x=".5" y=".5" width="{_WIDTH - 1}" '
        f'height="{height - 1}" rx="8"/>'
    )
    yield f'<text class="title" x="16" y="27">{title}</text>'
    bottom = _HEAD + _ROW * len(cases)
    for step in range(steps + 1):
        x = _LABEL + step * _SCALE_STEP * unit
        kind = "even" if step * _SCALE_STEP == 1 else "grid"
        yield f'<path class="{kind}" d="M{x:.1f} {_HEAD - 8}V{bottom}"/>'
        yield _text(x, bottom + 18, f"{step * _SCALE_STEP:g}", anchor="middle")
    for number, case in enumerate(cases):
        yield from _row(case, _HEAD + number * _ROW, unit)
    yield "</svg>"


def _row(case: Case, y: float, unit: float) -> Iterator[str]:
    ratios, ratio = case.ratios, median(case.ratios)
    middle = y + _ROW / 2
    kind = "faster" if ratio >= 1 else "slower"
    yield _text(16, middle - 3, f"{case.name}: {case.input}", kind="")
    yield _text(16, middle + 12, f"against {case.against}")
    yield (
        f'<rect class="{kind}" x="{_LABEL}" y="{middle - _BAR / 2:g}" '
        f'width="{ratio * unit:.1f}" height="{_BAR}" rx="2"/>'
    )
    ends = (_LABEL + unit * min(ratios), _LABEL + unit * max(ratios))
    yield f'<path class="range" d="M{ends[0]:.1f} {middle:g}H{ends[1]:.1f}"/>'
    if case.target is not None:
        x = _LABEL + unit * case.target
        yield f'<path class="target" d="M{x:.1f} {middle - 11:g}v22"/>'
    yield _text(_WIDTH - 16, middle + 5, f"{ratio:.2f}", anchor="end", kind="")


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", kind: str = "small"
) -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<text{named} x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">'
        f"{escape(text, quote=False)}</text>"
    )
