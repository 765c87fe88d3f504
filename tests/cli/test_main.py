"""Whatever happens, a code and at most one line of explanation; never a traceback."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_samples import Command, start

from paxect_batch.cli import console
from paxect_batch.cli import main as main_module
from paxect_batch.model.errors import NotReady, ShareError


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def act(_arguments: object) -> int:
        raise error

    monkeypatch.setattr(main_module, "_command", lambda _name: act)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (NotReady("not there"), 75, "paxect-batch: not there\n"),
        (ShareError("gone"), 3, "paxect-batch: gone\n"),
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (MemoryError(), 3, "use fewer --workers"),
        (OSError(errno.EIO, "Input/output error", "a\nb"), 3, "'a\\nb': Input/output"),
        (OSError(errno.EIO, "Input/output error"), 3, "Input/output error; see"),
        (ZeroDivisionError("x"), 70, "ZeroDivisionError: x at test_main.py:"),
    ],
)
def test_error_becomes_its_code_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
    command: Command,
    error: BaseException,
    code: int,
    told: str,
) -> None:
    raising(monkeypatch, error)
    said = command("status")
    assert said.code == code
    assert told in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_output_that_nobody_reads_ends_quietly(tmp_path: Path) -> None:
    # A pipe whose reader is gone before the first byte.
    reader, writer = os.pipe()
    os.close(reader)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "paxect_batch", "--help"],
        check=False,
        stdout=writer,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{root / 'core'}{os.pathsep}{root}"},
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (3, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["explain", "--json"]])
def test_output_that_is_full_is_3_and_one_line_that_names_it(words: list[str]) -> None:
    root = Path(__file__).parents[2]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "paxect_batch", *words],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": f"{root / 'core'}{os.pathsep}{root}"},
        )
    assert done.returncode == 3
    assert done.stderr.startswith(b"paxect-batch: 'standard output': No space left")
    assert done.stderr.count(b"\n") == 1


def test_version_tells_relay_and_codec(command: Command) -> None:
    said = command("--version")
    assert said.code == 0
    assert said.out.startswith("paxect-batch ")
    assert "zstandard" in said.out


def test_misspelt_command_is_64(command: Command) -> None:
    said = command("statsu")
    assert said.code == 64
    assert "did you mean status?" in said.err


@pytest.mark.parametrize("words", [["--help"], ["drain", "--help"], ["drian"]])
def test_help_and_usage_errors_load_no_library(words: list[str]) -> None:
    program = (
        "import sys; from paxect_batch.cli.main import main; main(sys.argv[1:]); "
        "print(*sorted({'msgspec', 'zstandard', 'psutil', 'filelock', 'argparse'}"
        " & set(sys.modules)), file=sys.stderr)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": f"{root / 'core'}{os.pathsep}{root}"},
    )
    assert done.stderr.splitlines()[-1] == b""


def test_module_runs_as_a_program() -> None:
    process = start("--version")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"paxect-batch ")


def test_without_outputs_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    console.say("x")
    console.complain("x")
    console.flush()


def test_terminal_that_cannot_be_asked_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int) -> bool:
        raise OSError

    monkeypatch.setattr(os, "isatty", refuse)
    assert not console.is_terminal(1)


def test_complaint_is_one_line_of_what_can_be_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.complain("é\n\x1b[2J\udcff")
    assert capsys.readouterr().err == "paxect-batch: é\\n\\x1b[2J\\udcff\n"


def test_file_that_cannot_be_written_is_named_and_stays(tmp_path: Path) -> None:
    with pytest.raises(ShareError, match="none"):
        console.write_whole(str(tmp_path / "none" / "f"), [b"x"])

    def parts() -> Iterator[bytes]:
        yield b"x"
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "f").write_text("old")
    with pytest.raises(ShareError, match="what was there is as it was"):
        console.write_whole(str(tmp_path / "f"), parts())
    assert (tmp_path / "f").read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]
