"""What generated pages are made of: heads, tables, marked words."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 90
MADE = "<!-- Made by scripts/reference; change what it is made from. -->"


def page(title: str, *parts: str) -> str:
    """Return a page of a title and parts, each with a blank line before it."""
    text = "\n\n".join((f"# {title}", MADE, *(part.strip("\n") for part in parts)))
    return text + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; what would end a cell is escaped."""
    heads = list(heads)
    lines = [_row(heads), _row("---" for _ in heads)]
    lines += [
        _row(cell.replace("|", "\\|").replace("\n", " ") for cell in row)
        for row in rows
    ]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def code(text: object) -> str:
    """Return a word that is marked as one that the program reads or says."""
    return f"`{text}`"


def value(found: object) -> str:
    """Return a value as JSON has it, marked."""
    return code(json.dumps(found, ensure_ascii=False))


def fenced(text: str, language: str = "") -> str:
    """Return a block that is shown as it stands."""
    return f"```{language}\n{text}\n```"


def anchor(head: str) -> str:
    """Return what a link to a head ends in."""
    kept = re.sub(r"[^\w\- ]", "", head.strip().casefold().replace("`", ""))
    return kept.replace(" ", "-")


def sentence(text: str) -> str:
    """Return a phrase as a sentence of its own."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def phrase(text: str) -> str:
    """Return a note as it reads in a cell, beside JSON."""
    text = text.rstrip(".").replace("None", "null")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def first_paragraph(text: str | None) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((text or "").split("\n\n")[0].split())


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph in lines of a page's width."""
    import textwrap

    return "\n".join(
        textwrap.wrap(
            text,
            COLUMNS,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


def joined(parts: Iterable[str]) -> str:
    """Return parts with a blank line between them."""
    return "\n\n".join(parts)
