"""Watch as a process of its own, from its first file to the signal that ends it."""

import json
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_samples import drop, make_share, names, start

pytestmark = pytest.mark.slow


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return make_share(tmp_path)


class Watching:
    """A process that watches a share, and has delivered a first file."""

    def __init__(self, share: Path, log: Path, seconds: float) -> None:
        self.log = log
        words = ("--log", log, "--poll-seconds", seconds)
        drop(share, a_txt=b"one")
        self._process = start("watch", share, *words)
        self.wait_for('"outbox/a.txt"')

    def wait_for(self, wanted: str) -> None:
        """Wait until its log holds a word."""
        assert self._process.stderr is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.log.exists() and wanted in self.log.read_text():
                return
            # Its standard error ends with it.
            select.select([self._process.stderr], [], [], 0.02)
        raise AssertionError(f"{wanted} never came")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ended(self) -> "subprocess.CompletedProcess[bytes]":
        """Wait for its end; return what it said."""
        process = self._process
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_watch_ends_well_by_a_signal_and_reopens_its_log(
    share: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    watching = Watching(share, tmp_path / "e.jsonl", 0.05)
    watching.log.rename(tmp_path / "old.jsonl")
    watching.send(signal.SIGHUP)
    drop(share, b_txt=b"two")
    watching.wait_for('"outbox/b.txt"')
    watching.send(number)
    ended = watching.ended()
    assert ended.returncode == code
    audit = json.loads(ended.stdout.decode().splitlines()[-1].partition("=")[2])
    assert audit["exit_code"] == code
    assert audit["delivered"]["files"] == 2
    assert b"the next run goes on with it" in ended.stderr
    assert names(share / "outbox") == ["a.txt", "b.txt"]
    assert names(share / ".paxect" / "claims") == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what came")
def test_watch_takes_a_new_file_at_once_however_seldom_it_looks(
    share: Path, tmp_path: Path
) -> None:
    watching = Watching(share, tmp_path / "e.jsonl", 86400)
    (share / "inbox" / "below").mkdir()
    drop(share, b_txt=b"two")
    watching.wait_for('"outbox/b.txt"')
    (share / "inbox" / "below" / "c.txt").write_bytes(b"three")
    watching.wait_for('"outbox/below/c.txt"')
    watching.send(signal.SIGTERM)
    watching.ended()
    assert names(share / "outbox") == ["a.txt", "b.txt", "below/c.txt"]
