"""Links between pages lead to files and to heads that exist, and to all of `docs`."""

import re
from functools import cache
from pathlib import Path

import pytest
from page_blocks import PAGES, ROOT
from page_parts import anchor

DOCS = ROOT / "docs"
CONTENTS = DOCS / "README.md"
_LINK = re.compile(
    r"\[[^\]]*\]\((?!\w+:)([^)\s]*)\)|^\[[^\]]+\]: (?!\w+:)(\S+)$", re.MULTILINE
)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(
    r"^```.*?^```$|^(?: {4}[^\n]*\n)+|`[^`\n]+`", re.MULTILINE | re.DOTALL
)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def prose(path: Path) -> str:
    return _CODE.sub("`code`", path.read_text(encoding="utf-8"))


@cache
def heads(path: Path) -> set[str]:
    """Return the anchors of a page, a head that comes again with its number."""
    text = _FENCED.sub("", path.read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    anchors = set()
    for head in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = anchor(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head))
        number = found[plain] = found.get(plain, -1) + 1
        anchors.add(f"{plain}-{number}" if number else plain)
    return anchors


def links(path: Path) -> list[str]:
    return [one or other for one, other in _LINK.findall(prose(path))]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_to_files_and_heads_that_exist(path: Path) -> None:
    broken = []
    for link in links(path):
        place, _, head = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (head and head not in heads(target)):
            broken.append(link)
    assert not broken


def test_every_page_of_docs_is_in_the_table_of_contents() -> None:
    linked = {
        (DOCS / link.partition("#")[0]).resolve()
        for link in links(CONTENTS)
        if link.partition("#")[0]
    }
    # What is shown on a page need not be led to.
    shown = set((DOCS / "images").glob("*"))
    there = {path for path in DOCS.rglob("*") if path.is_file()} - shown
    assert sorted(map(name, there - linked - {CONTENTS})) == []


def test_every_head_of_a_table_of_contents_page_has_entries() -> None:
    sections = re.split(r"^## ", prose(CONTENTS), flags=re.MULTILINE)[1:]
    kinds = [section.splitlines()[0] for section in sections]
    assert kinds[:4] == ["Tutorial", "How to", "Reference", "Explanation"]
    assert all("\n- [" in section or "\n| [" in section for section in sections)


def test_links_are_found_and_code_is_not_taken_for_one(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(
        "# A `b`\n## C\n## C\n[x](b.md#y) `[z](c)` [w](https://e/)\n\n    [q](d)\n"
    )
    assert links(page) == ["b.md#y"]
    assert heads(page) == {"a-b", "c", "c-1"}
