"""Blocks of pages, and the commands in them.

A prompt is `$ `, or `NAME$ ` for a command on the node of that name; `> ` continues it.
What is shown after it is its output, in which `…` stands for anything within a line, and
a line of `…` for any lines. A block that needs more than a shell and a folder has
`<!-- run by PROGRAM, since it WHY -->` above it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *(
            path
            for folder in ("core", "demos", "docs", "scripts", "tests")
            for path in (ROOT / folder).rglob("*.md")
        ),
    ]
    if path.is_file()
)
NODES = ("north", "south")

_FENCED = re.compile(
    r"^(?:<!-- run by (\S+), since it [^\n]+ -->\n+)?```([^\n]*)\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = re.compile(rf"^((?:{'|'.join(NODES)})?\$ )(.*(?:\n> .*)*)\n?", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line it begins on, who runs it."""

    language: str
    text: str
    line: int
    run_by: str = ""


def blocks(markdown: str) -> list[Block]:
    return [
        Block(
            match[2],
            match[3],
            markdown.count("\n", 0, match.start(2)) + 1,
            match[1] or "",
        )
        for match in _FENCED.finditer(markdown)
    ]


def run_by(program: str, page: str) -> list[str]:
    """Return the blocks of a page, below the root, that are left to that program."""
    markdown = (ROOT / page).read_text(encoding="utf-8")
    found = [block.text for block in blocks(markdown) if block.run_by == program]
    assert found, f"{page} has no block that {program} runs"
    return found


def commands(console: str) -> list[tuple[str, str]]:
    """Return each prompt with its command."""
    return [(match[1], match[2]) for match in _PROMPT.finditer(console)]


def as_shown(shown: str, real: str) -> str:
    """Return what is shown if the real one is like it, else the real one."""
    pattern = "".join(
        r"(?:.*\n)*?"
        if line == "…\n"
        else ".*".join(re.escape(part) for part in line.split("…"))
        for line in shown.splitlines(keepends=True)
    )
    return shown if re.fullmatch(pattern, real) else real
