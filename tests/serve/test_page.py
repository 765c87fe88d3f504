"""The page needs nothing from elsewhere, can change nothing, and can be read by all."""

import base64
import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from serve_samples import a_full_board, head_of, reply_of

from paxect_batch.model.status import Life
from paxect_batch.model.view import View, Wellness
from paxect_batch.serve.answers import Answers
from paxect_batch.serve.page import Page

PARTS = Path(__file__).parents[2] / "paxect_batch" / "serve" / "page"
SCRIPT = (PARTS / "page.js").read_text(encoding="utf-8")
STYLE = (PARTS / "page.css").read_text(encoding="utf-8")
TEXT = Page().data.decode()
BYTES_MAX = 64 * 1024


class Tags(HTMLParser):
    """All tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


TAGS = Tags(TEXT).found
IDS = {str(about["id"]) for _, about in TAGS if "id" in about}


def test_page_is_sent_whole_and_small() -> None:
    reply = reply_of(Answers(a_full_board()).to(head_of("/")))
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.body == TEXT.encode()
    assert len(reply.body) < BYTES_MAX
    assert "/*style*/" not in TEXT
    assert "/*script*/" not in TEXT


def test_page_loads_nothing_from_anywhere() -> None:
    for tag, about in TAGS:
        assert "src" not in about
        if "href" in about:
            assert (tag, about["href"]) == ("a", "view") or str(
                about["href"]
            ).startswith("data:image/svg+xml,")
    assert not re.search(
        r"https?://", re.sub(r"http://www\.w3\.org/2000/svg", "", TEXT)
    )
    assert "@import" not in STYLE
    assert "url(" not in STYLE


def test_policy_lets_the_page_run_itself_and_nothing_else() -> None:
    policy = dict(Page().headers)["Content-Security-Policy"]
    for tag, text in (("style", STYLE), ("script", SCRIPT)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert f"<{tag}>{text}</{tag}>" in TEXT
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy


def test_script_puts_in_text_only_and_asks_only_for_the_view() -> None:
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("):
        assert word not in SCRIPT
    assert re.findall(r"fetch\((.+?),", SCRIPT) == ['"view"']
    assert "method" not in SCRIPT
    assert not any(name.startswith("on") for _, about in TAGS for name in about)


def test_script_names_only_what_is_on_the_page() -> None:
    named = set(re.findall(r'(?:get|put|say)\("([a-z-]+)"', SCRIPT))
    assert named <= IDS | {"plot"}
    assert len(named) > 15


def test_script_knows_every_state() -> None:
    for word in (*Wellness, Life.ALIVE, Life.SILENT, Life.NOT_RUNNING, Life.UNREADABLE):
        assert re.search(rf"\b{word}: \[", SCRIPT), word


def test_script_uses_fields_that_a_view_has() -> None:
    fields = set(View.__struct_fields__)
    assert set(re.findall(r"\bview\.([a-z_]+)", SCRIPT)) <= fields


def test_page_can_be_read_out_and_used_by_keys() -> None:
    tags = [tag for tag, _ in TAGS]
    assert tags.count("h1") == tags.count("main") == 1
    assert dict(TAGS)["html"]["lang"] == "en"
    labels = {about.get("for") for tag, about in TAGS if tag == "label"}
    for tag, about in TAGS:
        if tag == "input" and about["type"] != "radio":
            assert about["id"] in labels
        if about.get("class") == "scroll":
            assert about["tabindex"] == "0"
            assert about["aria-label"]
        assert int(str(about.get("tabindex", 0))) <= 0
    assert ":focus-visible" in STYLE
    assert "outline: none" not in STYLE


def colours(dark: bool) -> dict[str, str]:
    first, second = STYLE.split("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", first))
    if dark:
        found |= re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", second.split("}")[0])
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_colours_can_be_told_apart(dark: bool) -> None:
    found = colours(dark)
    pairs = [
        *(
            (text, ground)
            for text in ("text", "muted")
            for ground in ("ground", "card")
        ),
        *((state, "card") for state in ("well", "care", "trouble")),
        *((state, f"{state}-ground") for state in ("well", "care", "trouble")),
        *(("text", f"{state}-ground") for state in ("well", "care", "trouble")),
        ("card", "accent"),
        ("trouble", "ground"),
    ]
    for text, ground in pairs:
        assert contrast(found[text], found[ground]) >= 4.5, (text, ground)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_script_can_be_read_by_node() -> None:
    done = subprocess.run(
        ["node", "--check", str(PARTS / "page.js")], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
