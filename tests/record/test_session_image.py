"""The recorded session is what happens, and its image shows it to everyone."""

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import recorded_session
from terminal_svg import Shown, svg

ROOT = Path(__file__).resolve().parents[2]
IMAGE = recorded_session.IMAGE


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "ls", "sha256sum", "head"))),
    reason="no POSIX shell and its tools here",
)
def test_image_is_what_a_session_shows() -> None:
    """When this fails, run scripts/record, and look at what changed."""
    pytest.importorskip("pty")
    assert recorded_session.recorded() == IMAGE.read_text(encoding="utf-8")


def texts(image: str) -> list[str]:
    root = ET.fromstring(image)
    return [
        "".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")
    ]


def test_image_names_no_place_of_this_machine_and_no_time() -> None:
    shown = "\n".join(texts(IMAGE.read_text(encoding="utf-8")))
    assert "/tmp" not in shown
    assert str(Path.home()) not in shown
    assert "duration" not in shown


def test_readme_shows_the_image() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"]({IMAGE.relative_to(ROOT).as_posix()})" in readme


def test_text_of_lines_is_shown_as_it_is_and_cut_at_the_edge() -> None:
    lines = [Shown("command", "a <b> & c"), Shown("output", "x" * 30)]
    title, command, output = texts(svg(lines, columns=20, title="t"))
    assert (title, command) == ("t", "$ a <b> & c")
    assert output == "x" * 19 + "…"


def test_image_has_colours_for_light_and_for_dark_pages() -> None:
    image = svg([Shown("warning", "w")], columns=20, title="t")
    light, dark = image.split("prefers-color-scheme:dark")
    for name in ("text{", ".ground{", ".warning{"):
        assert name in light
        assert name in dark
