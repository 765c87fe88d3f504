"""The command on descriptors that are closed or full, and on small disks."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_ground import CONTAINER, run, shell
from samples import COMMAND, noise, python

import paxect_core
from paxect_core import writer


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("CORE --version >&-", 0),
        ("CORE verify good >&-", 0),
        ("CORE verify --json good >&-", 0),
        ("CORE encode -i raw >&-", 3),
        ("CORE decode -i good -o new <&- >&- 2>&-", 0),
        ("CORE verify <&-", 3),
        ("CORE verify none 2>&-", 3),
        ("CORE encode -i raw --json 2>&- >/dev/null", 0),
    ],
)
def test_closed_standard_descriptors_end_in_an_exit_code(
    script: str, code: int
) -> None:
    done = shell(script)
    assert done.returncode == code
    if "2>&-" in script:
        # What is for a person must not end up in the data.
        assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("CORE encode -i raw >/dev/full", 3),
        ("CORE decode -i good >/dev/full", 3),
        ("CORE decode -i good -o /dev/full", 3),
        ("CORE verify good >/dev/full", 3),
        ("CORE inspect --json good >/dev/full", 3),
        ("CORE --help >/dev/full", 3),
    ],
)
def test_full_device_is_told_with_code_3(script: str, code: int) -> None:
    done = shell(script)
    assert done.returncode == code
    assert b"No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_standard_error_keeps_the_exit_code() -> None:
    assert shell("CORE verify none 2>/dev/full").returncode == 3
    assert shell("CORE decode -i broken 2>/dev/full").returncode == 4


def test_standard_output_by_its_file_name_is_a_pipe() -> None:
    done = shell("CORE encode --frame=512 -i raw -o /dev/stdout | cat")
    assert done.stdout == CONTAINER


@pytest.mark.parametrize(
    "words", [("encode", "-i", "large"), ("decode", "-i", "large.freq")]
)
def test_reader_that_closes_early_gets_code_3(folder: Path, words: list[str]) -> None:
    (folder / "large").write_bytes(noise(3 << 20))
    paxect_core.encode_file(folder / "large", folder / "large.freq")
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(10)
        child.stdout.close()
        err = child.stderr.read()
    assert child.returncode == 3
    assert b"Broken pipe" in err
    assert b"Traceback" not in err


def test_verify_into_a_closed_pipe_gets_code_3() -> None:
    done = shell("{ CORE verify good; echo $? >&2; } | true")
    assert done.stderr.splitlines()[-1:] in ([b"3"], [b"0"])  # 0: written before
    done = python(
        "import os, sys\n"
        "read_end, write_end = os.pipe()\n"
        "os.dup2(write_end, 1); os.close(read_end); os.close(write_end)\n"
        "from paxect_core.cli import main\n"
        "sys.exit(main(['verify', 'good']))\n"
    )
    assert done.returncode == 3
    assert b"Broken pipe" in done.stderr
    assert b"Traceback" not in done.stderr


def test_input_that_is_a_folder_or_may_not_be_read_is_code_3(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert "directory" in run(capsys, "encode", "-i", ".", "-o", "new", code=3)[1]
    (folder / "raw").chmod(0)
    if os.access(folder / "raw", os.R_OK):
        pytest.skip("this user may read everything")
    assert "denied" in run(capsys, "encode", "-i", "raw", "-o", "new", code=3)[1]


def test_input_that_fails_while_it_is_read_is_code_3(folder: Path) -> None:
    before = sorted(os.listdir(folder))
    write_only = os.open(os.devnull, os.O_WRONLY)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "encode", "-o", "new"],
        stdin=write_only,
        capture_output=True,
        check=False,
    )
    os.close(write_only)
    assert done.returncode == 3
    assert b"reading standard input gave Bad file descriptor" in done.stderr
    assert sorted(os.listdir(folder)) == before


def test_file_size_limit_is_code_3_and_leaves_nothing(folder: Path) -> None:
    before = sorted(os.listdir(folder))
    done = python(
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "from paxect_core.cli import main\n"
        "sys.exit(main(['decode', '-i', 'good', '-o', 'new']))\n"
    )
    assert done.returncode == 3
    assert b"File too large" in done.stderr
    assert b"nothing was written to 'new'" in done.stderr
    assert sorted(os.listdir(folder)) == before


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[None]:
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("no mount command")
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("force", [False, True])
def test_full_disk_is_code_3_and_leaves_what_was_there(
    capsys: pytest.CaptureFixture[str], folder: Path, force: bool
) -> None:
    with small_disk(folder / "disk"):
        (folder / "large").write_bytes(noise(100_000))
        old = {"new": b"old"} if force else {}
        for name, data in old.items():
            (folder / "disk" / name).write_bytes(data)
        words = ["encode", "-i", "large", "-o", "disk/new", *["--force"] * force]
        _, err = run(capsys, *words, code=3)
        assert "No space left on device" in err
        left = {n: (folder / "disk" / n).read_bytes() for n in os.listdir("disk")}
        assert left == old


def test_short_memory_is_code_3_with_a_hint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def starve(*_arguments: object, **_named: object) -> object:
        raise MemoryError

    monkeypatch.setattr(writer, "encode", starve)
    _, err = run(capsys, "encode", "-i", "raw", "-o", "new", code=3)
    assert "--threads" in err
    assert not (folder / "new").exists()
