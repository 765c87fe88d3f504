"""`top` shows a share in any terminal, and leaves the terminal as it was."""

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import ROOT, Command, drop, make_share
from serve_samples import NASTY, NOW, a_board, a_full_board, a_node, a_status

from paxect_batch.cli.main import main
from paxect_batch.model.view import Minute
from paxect_batch.report.screen import BARS, PLAIN_BARS, screen, trend

SEARCH = os.pathsep.join((str(ROOT / "core"), str(ROOT)))


@pytest.mark.parametrize("columns", [1, 20, 30, 40, 59, 60, 80, 200])
@pytest.mark.parametrize("rows", [1, 2, 5, 24, 500])
@pytest.mark.parametrize("sad", [False, True])
def test_screen_fits_any_terminal(columns: int, rows: int, sad: bool) -> None:
    lines = screen(a_full_board(sad=sad).view(), columns=columns, rows=rows)
    assert 1 <= len(lines) <= rows
    assert all(len(line) <= max(columns, 20) for line in lines)
    assert all(line.isprintable() for line in lines)


def test_screen_begins_with_whether_all_is_well() -> None:
    assert screen(a_full_board().view(), columns=80, rows=2)[0] == "/mnt/exchange"
    lines = screen(a_full_board(sad=True).view(), columns=80, rows=60)
    assert lines[1:3] == ["! something asks for a look", "  - node south is silent"]
    text = "\n".join(lines)
    assert "50% of full pace, for memory" in text
    for words in ("3 files, 300 B, oldest 2 h 00 min", "west: over", "q2 wire/bad-2"):
        assert words in text
    assert screen(a_board().view(), columns=80, rows=60)[1] == ". not known yet"


def test_screen_shows_names_that_would_command_a_terminal_as_text() -> None:
    board = a_board()
    nodes = (a_node("evil\x1b[2J\nnode"),)
    board.note_status(a_status(nodes=nodes), took_seconds=0.1)
    text = "\n".join(screen(board.view(), columns=200, rows=60))
    assert "evil?[2J?node" in text
    assert NASTY in text


@pytest.mark.parametrize("bars", [BARS, PLAIN_BARS])
def test_trend_has_the_newest_at_its_right_end(bars: str) -> None:
    minutes = (Minute(int(NOW) - 3540, 4, 4), Minute(int(NOW), 8, 8))
    line = trend(minutes, NOW, 60, bars)
    assert (len(line), line[0], line[-1]) == (60, bars[4], bars[8])
    assert set(line[1:-1]) == {" "}
    assert trend((), NOW, 10, bars) == " " * 10
    assert len(trend(minutes, NOW, 7, bars)) == 7


@pytest.mark.slow
def test_top_without_a_terminal_shows_the_share_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    share, command = make_share(tmp_path), Command(capfd)
    drop(share, a_txt=b"one")
    said = command("top", share)
    assert (said.code, said.err) == (0, "")
    where, state = said.out.splitlines()[:2]
    assert where.endswith(share.name), "a long path is cut in its middle"
    assert state == "+ all is well"
    assert "1 file, 3 B" in said.out
    view = json.loads(command("top", share, "--json").out)
    assert view["seen"]["waiting"] == {"files": 1, "bytes": 3}
    assert command("top", tmp_path / "none").code == 75


@pytest.mark.slow
def test_top_whose_output_is_closed_ends_like_other_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = make_share(tmp_path)
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["top", str(share)]) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals here")
@pytest.mark.parametrize(("ends", "code"), [(b"q", 0), (b"\x03", 130)])
def test_top_in_a_narrow_terminal_quits_cleanly(
    tmp_path: Path, ends: bytes, code: int
) -> None:
    import fcntl
    import pty
    import termios

    share = make_share(tmp_path)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 34, 0, 0))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [sys.executable, "-m", "paxect_batch", "top", str(share)],
        env=os.environ | {"PYTHONPATH": SEARCH, "PYTHONIOENCODING": "utf-8"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    shown = b""
    # The last line of that frame, so that it is not cut off in the middle.
    while b"q quits" not in shown.partition(b"all is well")[2]:
        shown += os.read(ours, 65536)
    os.write(ours, ends)
    while b"\x1b[?1049l" not in shown:
        shown += os.read(ours, 65536)
    assert process.wait() == code
    assert termios.tcgetattr(theirs) == before
    os.close(theirs)
    os.close(ours)
    text = shown.decode()
    assert text.startswith("\x1b[?1049h\x1b[?25l")
    assert text.endswith("\x1b[?25h\x1b[?1049l")
    frame = text.split("\x1b[H")[-1].split("\x1b[?25h")[0]
    lines = re.sub(r"\x1b\[[KJ]", "", frame).split("\r\n")
    assert len(lines) == 12
    assert max(map(len, lines)) <= 34
    assert lines[-1].startswith("q quits")
