"""The page in a real browser: what it shows, on which screens, and when things fail.

    PYTHONPATH=core:. python tests/serve/page_check.py [--screenshots FOLDER]

needs Chromium and takes about a minute; it prints a line for each check, and ends with 1
if one of them failed. Not part of the usual tests, which look at the page's parts.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "report")]

from browser import Browser, program  # noqa: E402
from serve_samples import (  # noqa: E402
    NASTY,
    a_full_board,
    a_node,
    a_sad_status,
    a_status,
    listener_of,
)

from paxect_batch.model.view import Ground  # noqa: E402
from paxect_batch.serve.answers import Answers  # noqa: E402
from paxect_batch.serve.board import Board  # noqa: E402
from paxect_batch.serve.listener import Listener  # noqa: E402

FOLDER = ""
_TAB, _SPACE, _DOWN, _ENTER = ("Tab", 9), (" ", 32), ("ArrowDown", 40), ("Enter", 13)
WORD = "document.getElementById('word').textContent"
SCREENS = {
    "desk": (1280, 900, False),
    "narrow": (820, 1100, False),
    "phone": (360, 740, True),
}


def live_board(*, sad: bool = False) -> Board:
    """Return a board of this very moment, with an hour of work behind it."""
    board, now = a_full_board(sad=sad), time.time()
    board._now, board._monotonic = time.time, time.monotonic
    board._start = time.monotonic() - 4000
    files = 0
    for minute in range(60):
        files += (minute * 37) % 410
        at = now - 3600 + 60 * minute
        board._throughput.of_own_run(files, files * 1_000_000, at=at)
    board._throughput.of_own_run(files + 30, files * 1_000_000, at=now - 2)
    board.note_ground(Ground(at=now, free_bytes={"inbox": 1 << 40}))
    board.note_status(a_sad_status() if sad else a_status(), took_seconds=0.2)
    return board


@contextmanager
def shown(
    board: Board,
    name: str,
    *,
    screen: str = "desk",
    dark: bool = False,
    token: bytes | None = None,
) -> Iterator[Browser]:
    """Show a board in a browser; at its end there must be nothing on the console."""
    width, height, phone = SCREENS[screen]
    with listener_of(board, token=token) as (host, port), Browser() as browser:
        browser.look(width=width, height=height, dark=dark, phone=phone)
        browser.open(f"http://{host}:{port}/")
        browser.until("document.getElementById('word')")
        yield browser
        if FOLDER:
            browser.screenshot(os.path.join(FOLDER, f"{name}.png"))
        origin = f"http://{host}:{port}/"
        assert set(browser.requests()) <= {origin, f"{origin}view"}


def check_content() -> None:
    with shown(live_board(), "well") as browser:
        browser.until(f"{WORD} === 'All is well'")
        text = browser.value("document.body.innerText")
        for words in (
            "/mnt/exchange",
            "north",
            "south",
            "5 files, 500 B",
            "files/s",
            "7 files",
        ):
            assert words in text, words
        assert browser.value("document.querySelectorAll('#plot rect').length") == 60
        assert browser.value("document.title") == "✓ /mnt/exchange: all is well"
        assert browser.complaints() == []


def check_trouble_and_names_that_are_markup() -> None:
    with shown(live_board(sad=True), "care", dark=True) as browser:
        browser.until(f"{WORD} === 'Something asks for a look'")
        text = browser.value("document.body.innerText")
        for words in (NASTY, "silent", "node north recovers it", "set aside"):
            assert words in text, words
        assert browser.value("document.querySelectorAll('main img').length") == 0
        assert browser.complaints() == []


def check_every_screen_without_scrolling_sideways() -> None:
    for screen in SCREENS:
        for dark in (False, True):
            for sad in (False, True):
                name = (
                    f"{screen}-{'dark' if dark else 'light'}-{'sad' if sad else 'well'}"
                )
                with shown(
                    live_board(sad=sad), name, screen=screen, dark=dark
                ) as browser:
                    browser.until(f"{WORD} !== 'Not known yet'")
                    wide = browser.value("document.documentElement.scrollWidth")
                    assert wide <= SCREENS[screen][0], (name, wide)
                    assert _low_contrasts(browser) == [], name
                    assert browser.complaints() == []


_CONTRASTS = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const p = c.slice(0, 3).map((v) => v / 255).map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]; };
  const ground = (node) => { for (let at = node; at; at = at.parentElement) {
    const c = rgb(getComputedStyle(at).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    if (!own || !node.checkVisibility() || node.closest('script,style,svg,.hidden')) continue;
    const pair = [light(rgb(getComputedStyle(node).color)), light(ground(node))].sort();
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) found.push(`${node.tagName} ${node.className} ${ratio.toFixed(2)}`);
  }
  return found;
})()
"""


def _low_contrasts(browser: Browser) -> list[str]:
    found: list[str] = browser.value(_CONTRASTS)
    return found


def check_keys() -> None:
    with shown(live_board(), "keys") as browser:
        browser.until("document.querySelectorAll('#plot rect').length === 60")
        reached = []
        for _ in range(8):
            browser.press(*_TAB)
            reached.append(
                browser.value(
                    "document.activeElement.name || document.activeElement.tagName"
                    " + (document.activeElement.getAttribute('aria-label') || '')"
                )
            )
            if reached == ["what"]:
                browser.press(*_DOWN)
                browser.until(
                    "document.querySelector('#plot text').textContent === '0 B'"
                )
            if reached == ["what", "SUMMARY"]:
                browser.press(*_ENTER)
                browser.until("document.querySelector('details').open")
        assert reached[:2] == ["what", "SUMMARY"], reached
        assert "DIVNodes" in reached, reached
        outline = browser.value("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        assert browser.complaints() == []


def check_restart_of_the_relay() -> None:
    board = live_board()
    answers = Answers(board)
    first = Listener("127.0.0.1", 0, answers.to, answers.refuse)
    first.start()
    address = first.address
    with Browser() as browser:
        browser.look(width=1280, height=900)
        browser.open(f"http://127.0.0.1:{address[1]}/")
        browser.until(f"document.getElementById('word') && {WORD} === 'All is well'")
        first.stop()
        browser.until(f"{WORD} === 'No answer'")
        browser.until("document.getElementById('link').className === 'lost'")
        assert "south" in browser.value("document.body.innerText")
        if FOLDER:
            browser.screenshot(os.path.join(FOLDER, "lost.png"))
        fresh = a_full_board()
        fresh._now = time.time
        fresh.note_ground(Ground(at=time.time()))
        fresh.note_status(a_status(nodes=(a_node("late"),)), took_seconds=0.1)
        again = Answers(fresh)
        second = Listener("127.0.0.1", address[1], again.to, again.refuse)
        second.start()
        try:
            browser.until(f"{WORD} === 'All is well'")
            text = browser.value("document.body.innerText")
            assert "late" in text
            # What was seen before the restart is still in the plot.
            tall = "[...document.querySelectorAll('#plot rect')].filter((r) => r.getAttribute('height') > 0).length"
            assert browser.value(tall) > 50
        finally:
            second.stop()


def check_token() -> None:
    with shown(live_board(), "token", token=b"0123456789abcdef") as browser:
        browser.until("!document.getElementById('ask').hidden")
        for token, follows in (
            ("wrong", "document.getElementById('denied').textContent !== ''"),
            ("0123456789abcdef", f"{WORD} === 'All is well'"),
        ):
            browser.value("document.getElementById('token').focus()")
            browser.call("Input.insertText", text=token)
            browser.press(*_ENTER)
            browser.until(follows)
        assert browser.value("document.getElementById('ask').hidden") is True


CHECKS: tuple[Callable[[], None], ...] = (
    check_content,
    check_trouble_and_names_that_are_markup,
    check_every_screen_without_scrolling_sideways,
    check_keys,
    check_restart_of_the_relay,
    check_token,
)


def main(words: list[str]) -> int:
    global FOLDER
    if words[:1] == ["--screenshots"] and len(words) == 2:
        FOLDER = words[1]
        os.makedirs(FOLDER, exist_ok=True)
    elif words:
        print(__doc__)
        return 64
    if program() is None:
        print("there is no Chromium here, so nothing was checked")
        return 1
    failed = 0
    for check in CHECKS:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            check()
        except Exception:  # noqa: BLE001  each check is told of
            failed += 1
            print(f"FAILED  {name}")
            traceback.print_exc()
        else:
            print(f"passed  {name}", flush=True)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
