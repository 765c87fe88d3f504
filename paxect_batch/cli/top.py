"""Show a share in a terminal, anew each second, until `q` or a signal.

Nothing is written to the share. The share is looked at by threads of their own, so that
a mount that hangs stops neither the screen nor its end. Without a terminal the share is
shown once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.colours import is_drawable
from paxect_batch.cli.keyboard import key_within, raw_keys
from paxect_batch.cli.layout import find_layout
from paxect_batch.cli.lookers import Lookers, viewer
from paxect_batch.cli.opened import Opened
from paxect_batch.cli.settings import load
from paxect_batch.cli.stop import StopSignal
from paxect_batch.model.errors import Exit, ShareError
from paxect_batch.model.view import View
from paxect_batch.report.screen import BARS, PLAIN_BARS, screen
from paxect_batch.serve.board import Board

FIRST_LOOK_SECONDS_MAX = 60.0
_FRAME_SECONDS = 1.0
_SLICE_SECONDS = 0.1
_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_FOOT = "q quits"


def command(arguments: Arguments) -> int:
    """Show the share until told to stop."""
    share = arguments.operands[0] if arguments.operands else None
    settings = load(arguments, share=share)
    # What cannot be meant is said at once; what comes later is shown.
    layout = find_layout(settings)
    board = Board(viewer(settings, layout))
    is_live = console.is_terminal(0) and is_drawable(1) and not settings.json
    with StopSignal() as stop:
        lookers = Lookers(
            board, lambda: Opened(arguments, share=share), tries=False, own_events=False
        )
        try:
            if not is_live:
                return _show_once(board, stop, as_json=settings.json)
            with _whole_screen(), raw_keys():
                _show(board, stop)
        finally:
            lookers.stop()
    return stop.exit_code if stop.requested else Exit.OK


def _show(board: Board, stop: StopSignal) -> None:
    due = 0.0
    while not stop.requested:
        if time.monotonic() >= due:
            due = time.monotonic() + _FRAME_SECONDS
            _draw(board.view())
        key = key_within(_SLICE_SECONDS)
        if key in ("q", "Q"):
            return
        if key:
            due = 0.0


def _show_once(board: Board, stop: StopSignal, *, as_json: bool) -> int:
    until = time.monotonic() + FIRST_LOOK_SECONDS_MAX
    view = board.view()
    while view.seen is None:
        if stop.requested:
            return stop.exit_code
        if time.monotonic() > until:
            raise ShareError(
                f"the share gave no answer within {FIRST_LOOK_SECONDS_MAX:g} seconds; "
                "nothing was touched; see to its mount"
            )
        time.sleep(_SLICE_SECONDS)
        view = board.view()
    if as_json:
        facts = msgspec.to_builtins(view)
        console.say(json.dumps(facts, sort_keys=True, indent=1))
    else:
        lines = screen(view, columns=80, rows=1000, bars=_bars())
        console.say("\n".join(lines))
    return Exit.OK


@contextmanager
def _whole_screen() -> Iterator[None]:
    """Take the terminal's other screen; what was on this one is there afterwards."""
    _write(_ENTER)
    try:
        yield
    finally:
        _write(_LEAVE)


def _draw(view: View) -> None:
    columns, rows = console.size(1)
    lines = screen(view, columns=columns, rows=max(rows - 1, 1), bars=_bars())
    lines += [""] * (rows - 1 - len(lines))
    seen = view.seen
    age = "" if seen is None else f", seen {max(view.at - seen.at, 0):.0f} s ago"
    lines.append(f"{_FOOT}{age}"[:columns])
    # One write for a frame, so that it does not flicker over a slow line.
    # Each line is cleared first: behind a full one that would take its last letter.
    _write("\x1b[H" + "\n".join(f"\x1b[K{line}" for line in lines) + "\x1b[J")


def _bars() -> str:
    encoding = None if sys.stdout is None else sys.stdout.encoding
    try:
        BARS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN_BARS
    return BARS


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
