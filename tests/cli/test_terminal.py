"""A person at a terminal sees a bar and a table; cron sees the audit line alone."""

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import ROOT, drop, make_share

pytestmark = pytest.mark.slow

pty = pytest.importorskip("pty")
COLUMNS = 64
SEARCH = os.pathsep.join((str(ROOT / "core"), str(ROOT)))


def at_a_terminal(*words: object, **variables: str) -> tuple[int, str]:
    """Run `paxect-batch` in a terminal; return the exit code and what it showed.

    It shows no colours, unless the variables let it.
    """
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "paxect_batch", *map(str, words)],
        env=os.environ | {"PYTHONPATH": SEARCH, "NO_COLOR": "1"} | variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side has gone
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(), shown.decode()


def as_cron(*words: object) -> "subprocess.CompletedProcess[str]":
    """Run `paxect-batch` with as good as no environment and no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "paxect_batch", *map(str, words)],
        env={"PYTHONPATH": SEARCH},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


def test_terminal_shows_a_bar_that_fits_and_a_table_at_the_end(tmp_path: Path) -> None:
    share = make_share(tmp_path, "attempts = 1\n")
    for number in range(40):
        drop(share, **{f"file{number}_txt": b"data" * number})
    (share / "wire" / "odd.txt.freq").write_bytes(b"nonsense")
    code, shown = at_a_terminal("drain", share)
    assert code == 4
    bars = re.findall(r"\r(\[[#-]+\][^\r\n\x1b]*)\x1b\[K", shown)
    assert bars
    assert max(map(len, bars)) < COLUMNS
    totals = {
        (int(done), int(total))
        for done, total in re.findall(r"(\d+)/(\d+) files", "".join(bars))
    }
    assert all(done <= total <= 41 for done, total in totals), totals
    assert "warning: wire/odd.txt.freq: not a .freq container" in shown
    after = shown.rpartition("\x1b[K")[2]
    assert "  delivered             40 files" in after
    assert "  set aside              1 file" in after
    assert after.splitlines()[-1].startswith("AUDIT_SUMMARY_JSON=")


def test_terminal_on_which_no_line_can_be_drawn_anew_shows_no_bar(
    tmp_path: Path,
) -> None:
    share = make_share(tmp_path)
    drop(share, a_txt=b"data")
    for words in (["drain"], ["top"]):
        code, shown = at_a_terminal(*words, share, TERM="dumb")
        assert code == 0
        assert "\x1b" not in shown


def test_terminal_with_quiet_shows_no_bar_and_no_table(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    drop(share, a_txt=b"one")
    code, shown = at_a_terminal("drain", "-q", share)
    assert code == 0
    assert shown.startswith("AUDIT_SUMMARY_JSON=")
    assert shown.count("\n") == 1


def test_cron_gets_the_audit_line_and_warnings_alone(tmp_path: Path) -> None:
    share = make_share(tmp_path, "attempts = 1\n")
    drop(share, a_txt=b"one")
    done = as_cron("drain", share)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"AUDIT_SUMMARY_JSON=\{.*\}\n", done.stdout)
    (share / "wire" / "odd.txt.freq").write_bytes(b"nonsense")
    done = as_cron("drain", share)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "warning: wire/odd.txt.freq" in done.stderr
    assert re.fullmatch(r"AUDIT_SUMMARY_JSON=\{.*\}\n", done.stdout)


def test_cron_without_a_share_that_is_mounted_gets_one_line(tmp_path: Path) -> None:
    done = as_cron("drain", tmp_path)
    assert (done.returncode, done.stdout) == (75, "")
    assert done.stderr.count("\n") == 1
    assert "see that the share is mounted" in done.stderr


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_checksums_hold_for_odd_names(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    names = [
        b" a b ",
        b"*star",
        b"back\\slash",
        b"line\nbreak",
        b"cr\rhere",
        b"-dash",
        b"latin\xe9",
        "smile\N{SLIGHTLY SMILING FACE}".encode(),
        b"quote'\"$x",
        b"n" * 255,
    ]
    inbox = os.fsencode(share / "inbox")
    for name in list(names):
        try:
            with open(os.path.join(inbox, name), "wb") as stream:
                stream.write(name)
        except OSError:
            names.remove(name)  # not every file system takes every name
    assert names
    assert as_cron("drain", share).returncode == 0
    assert sorted(os.listdir(os.fsencode(share / "outbox"))) == sorted(names)
    sums = tmp_path / "SUMS"
    assert as_cron("manifest", share, "--checksums", sums).returncode == 0
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", sums],
        cwd=share / "outbox",
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert checked.stdout.count(b": OK\n") == len(names)


COLOUR = re.compile(r"\x1b\[[0-9;]*m")
COLOURFUL = {"NO_COLOR": "", "TERM": "xterm-256color"}


def test_terminal_shows_what_is_well_and_what_is_bad_in_colours(tmp_path: Path) -> None:
    share = make_share(tmp_path, "attempts = 1\n")
    assert "\x1b[32mall well\x1b[0m" in at_a_terminal("verify", share, **COLOURFUL)[1]
    drop(share, a_txt=b"one")
    (share / "wire" / "odd.txt.freq").write_bytes(b"nonsense")
    _, shown = at_a_terminal("drain", share, **COLOURFUL)
    assert "\x1b[33mpaxect-batch: warning:\x1b[0m wire/odd.txt.freq" in shown
    assert re.search(r"\x1b\[31ma container is broken;[^\x1b\n]*\x1b\[0m", shown)
    assert not COLOUR.search(shown.splitlines()[-1])
    _, shown = at_a_terminal("drian", **COLOURFUL)
    assert shown.startswith("\x1b[31mpaxect-batch:\x1b[0m 'drian' is no command")


@pytest.mark.parametrize(
    "variables",
    [{"NO_COLOR": "1", "TERM": "xterm"}, {"NO_COLOR": "", "TERM": "dumb"}],
    ids=["NO_COLOR", "dumb"],
)
def test_terminal_that_is_to_show_no_colours_shows_none(
    variables: dict[str, str], tmp_path: Path
) -> None:
    share = make_share(tmp_path)
    for words in (["verify", share], ["drain", share], ["drian"]):
        assert not COLOUR.search(at_a_terminal(*words, **variables)[1])


def test_pipe_gets_no_colours(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "paxect_batch", "drain", "--summary", share],
        env=os.environ | {"PYTHONPATH": SEARCH} | COLOURFUL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "nothing to do" in done.stdout
    assert not COLOUR.search(done.stdout + done.stderr)
