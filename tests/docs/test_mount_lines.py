"""Lines for fstab are those that were measured, wherever they stand."""

import re

from page_blocks import PAGES, ROOT

MOUNTS = (ROOT / "docs" / "mounts.md").read_text(encoding="utf-8")
_LINE = re.compile(r"^    \S+ +/\S+ +(nfs4?|cifs) +(\S+) +0 0$", re.MULTILINE)
OF_THE_PLACE = {"credentials", "uid"}
"""Options that have nothing to do with what was measured."""


def lines(text: str) -> list[tuple[str, set[str]]]:
    return [(kind, set(options.split(","))) for kind, options in _LINE.findall(text)]


def test_every_line_for_fstab_has_the_options_of_the_page_on_mounts() -> None:
    measured = lines(MOUNTS)
    assert {kind for kind, _ in measured} == {"nfs4", "nfs", "cifs"}
    others = [
        (kind, {word for word in options if word.split("=")[0] not in OF_THE_PLACE})
        for path in PAGES
        if path.name != "mounts.md"
        for kind, options in lines(path.read_text(encoding="utf-8"))
    ]
    assert len(others) >= 2
    assert [line for line in others if line not in measured] == []
