"""The command when it is told to stop."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_ground import RAW, run
from samples import COMMAND, noise, python

import paxect_core
from paxect_core import process, reader
from paxect_core.wire import Settings

PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have children run without coverage.py.

    It takes a lock of its own whenever a file's first line runs in a thread; a signal
    that raises in that instant leaves the lock taken, and the process waits for ever.
    """
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
@pytest.mark.parametrize("word", ["encode", "decode"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_signal_in_the_middle_leaves_nothing_and_has_its_code(
    folder: Path, number: signal.Signals, code: int, word: str, threads: str
) -> None:
    data = noise(2 << 20)
    if word == "decode":
        data = paxect_core.encode_bytes(data, Settings(level=1, frame_bytes=1 << 16))
    before = sorted(os.listdir(folder))
    words = [word, "-o", "new", "--threads", threads]
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        impatience = threading.Timer(PATIENCE_SECONDS, child.kill)
        impatience.start()
        # When this returns all but a pipe's worth was read: it is in the middle.
        child.stdin.write(data[:-50])
        child.stdin.flush()
        child.send_signal(number)
        err = child.stderr.read()
        child.wait()
        impatience.cancel()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    assert child.returncode == code
    assert err.startswith(b"paxect-core: stopped by a signal")
    assert len(err.splitlines()) == 1
    assert sorted(os.listdir(folder)) == before


@pytest.mark.skipif(os.name != "posix", reason="signals of threads are POSIX")
def test_signal_that_interrupts_no_read_is_heeded_while_nothing_comes(
    folder: Path,
) -> None:
    """As one that comes between two instructions, just before the read."""
    code = (
        "import signal, sys, threading, time\n"
        "from paxect_core import cli\n"
        "def send():\n"
        "    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:\n"
        "        time.sleep(0.01)\n"
        "    time.sleep(0.2)\n"
        "    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
        "    time.sleep(600)\n"
        "threading.Thread(target=send, daemon=True).start()\n"
        "sys.exit(cli.main(['decode', '-o', 'new']))\n"
    )
    before = sorted(os.listdir(folder))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            assert child.wait(timeout=60) == 143
        finally:
            child.kill()
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["open", "fsync", "link", "unlink"])
def test_signal_around_each_step_of_publishing_leaves_whole_or_absent(
    folder: Path, call: str, moment: str
) -> None:
    before = set(os.listdir(folder))
    done = python(
        "import builtins, os, signal, sys\n"
        "from paxect_core import cli, destination\n"
        "call, moment = sys.argv[1:]\n"
        "module = destination if call == 'open' else os\n"
        "real = getattr(os if call != 'open' else builtins, call)\n"
        "def wrapped(*arguments, **named):\n"
        "    setattr(module, call, real)\n"
        "    if moment == 'before':\n"
        "        signal.raise_signal(signal.SIGTERM)\n"
        "    result = real(*arguments, **named)\n"
        "    if moment == 'after':\n"
        "        signal.raise_signal(signal.SIGTERM)\n"
        "    return result\n"
        "setattr(module, call, wrapped)\n"
        # A file that is no longer referred to may say so.
        "import warnings; warnings.simplefilter('ignore')\n"
        "sys.exit(cli.main(['decode', '-i', 'good', '-o', 'new']))\n",
        call,
        moment,
    )
    assert done.returncode == 143, done.stderr.decode()
    assert done.stderr.startswith(b"paxect-core: stopped by a signal")
    left = set(os.listdir(folder)) - before
    assert left <= {"new"}
    if left:
        assert (folder / "new").read_bytes() == RAW
    is_there = call == "unlink" or (call == "link" and moment == "after")
    assert bool(left) == is_there


def test_second_signal_ends_the_process_without_debris(folder: Path) -> None:
    before = sorted(os.listdir(folder))
    done = python(
        "import os, signal, sys\n"
        "from paxect_core import cli, destination\n"
        "real = os.fsync\n"
        "def fsync(fd):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "def leave(self, *exc_info):\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "os.fsync = fsync\n"
        "destination.Destination.__exit__ = leave\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.exit(cli.main(['decode', '-i', 'good', '-o', 'new']))\n"
    )
    assert done.returncode == 143
    assert done.stderr == b""
    assert sorted(os.listdir(folder)) == before


def test_second_signal_drops_the_temporary_file_and_exits(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    from paxect_core.destination import Destination

    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    before = sorted(os.listdir(folder))
    output = Destination("new", replace=False)
    process.catch_signals()
    with pytest.raises(process.Stopped) as caught:
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143
    signal.raise_signal(signal.SIGINT)
    assert codes == [130]
    output.stream.close()
    assert sorted(os.listdir(folder)) == before


def test_signal_in_process_has_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object, **_named: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return None

    monkeypatch.setattr(reader, "verify", stop)
    assert "stopped by a signal" in run(capsys, "verify", "good", code=143)[1]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_stop_before_any_output_has_nothing_to_drop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "paxect_core.destination", raising=False)
    process.drop_unfinished()


def test_ignored_signals_stay_ignored(folder: Path) -> None:
    done = python(
        "import signal, sys\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from paxect_core import cli, reader\n"
        "real = reader.verify\n"
        "def verify(*arguments, **named):\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "    return real(*arguments, **named)\n"
        "reader.verify = verify\n"
        "sys.exit(cli.main(['verify', 'good']))\n"
    )
    assert done.returncode == 0, done.stderr.decode()
