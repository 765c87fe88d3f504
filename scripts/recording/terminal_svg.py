"""What a terminal showed, as an SVG that reads well on light and on dark pages; pure.

Lines appear one after the other where animation is supported and wanted; elsewhere all
are there at once.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Literal, NamedTuple

_LETTER = 8.4
_LINE = 19
_EDGE = 16
_BAR = 34
_COMMAND_SECONDS = 1.1
_OUTPUT_SECONDS = 0.06

_STYLE = """\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;\
white-space:pre;fill:#1f2933}
.ground{fill:#fbfbf9;stroke:#c9d1d9}.bar{fill:#c9d1d9}.title{fill:#5b6875}
.prompt{fill:#5b6875}.command{font-weight:600;fill:#0b4f79}.warning{fill:#9a3b00}
.well{fill:#1b6e37}
g{animation:show .01s backwards}@keyframes show{from{opacity:0}}
@media (prefers-color-scheme:dark){text{fill:#d7dde4}
.ground{fill:#12181f;stroke:#36424e}.bar{fill:#36424e}.title,.prompt{fill:#93a1af}
.command{fill:#8fd0ff}.warning{fill:#ffb27a}.well{fill:#8ddba4}}
@media (prefers-reduced-motion:reduce){g{animation:none}}"""


class Shown(NamedTuple):
    """One line, and what it is."""

    kind: Literal["command", "output", "warning"]
    text: str


def svg(lines: Iterable[Shown], *, columns: int, title: str) -> str:
    """Return the image; a line that is too long ends in an ellipsis."""
    return "\n".join(_svg(list(lines), columns, title)) + "\n"


def _svg(lines: list[Shown], columns: int, title: str) -> Iterator[str]:
    width = round(columns * _LETTER + 2 * _EDGE)
    height = _BAR + len(lines) * _LINE + 2 * _EDGE
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">'
    )
    yield f"<title>{escape(title)}: a session at a terminal</title>"
    yield f"<style>{_STYLE}</style>"
    yield (
        f'<rect class="ground" x=".5" y=".5" width="{width - 1}" '
        f'height="{height - 1}" rx="8"/>'
    )
    yield from (
        f'<circle class="bar" cx="{_EDGE + 6 + 18 * place}" cy="17" r="5"/>'
        for place in range(3)
    )
    yield (
        f'<text class="title" x="{width / 2:g}" y="22" text-anchor="middle">'
        f"{escape(title)}</text>"
    )
    seconds = 0.0
    for number, line in enumerate(lines):
        y = _BAR + _EDGE + number * _LINE
        is_command = line.kind == "command"
        seconds += _COMMAND_SECONDS if is_command else _OUTPUT_SECONDS
        yield f'<g style="animation-delay:{seconds:.2f}s">'
        # The attribute is for viewers that do not know the style.
        text = f'<text x="{_EDGE}" y="{y}" xml:space="preserve">'
        yield f"{text}{_spans(line, columns)}</text>"
        yield "</g>"
    yield "</svg>"


def _spans(line: Shown, columns: int) -> str:
    room = columns - 2 if line.kind == "command" else columns
    text = line.text if len(line.text) <= room else f"{line.text[: room - 1]}…"
    shown = escape(text, quote=False)
    if line.kind == "command":
        return f'<tspan class="prompt">$ </tspan><tspan class="command">{shown}</tspan>'
    if line.kind == "warning":
        return f'<tspan class="warning">{shown}</tspan>'
    if text.endswith(": OK") or text.startswith("all delivered"):
        return f'<tspan class="well">{shown}</tspan>'
    return shown
