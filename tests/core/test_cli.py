"""The command: its words, outputs, exit codes, and what it says when things go wrong."""

import contextlib
import errno
import io
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from samples import COMMAND, command, lines, noise, python, reference_container

import paxect_core
from paxect_core import cli, errors, options, process, reader, writer
from paxect_core.progress import ProgressBar
from paxect_core.wire import Settings

RAW = noise(1000) + lines(1000)
SETTINGS = Settings(frame_bytes=512)
CONTAINER = reference_container(RAW, SETTINGS)
DAMAGED = bytearray(CONTAINER)
DAMAGED[24 + 10] ^= 1  # the first frame's CRC32
DAMAGED = bytes(DAMAGED)


@pytest.fixture(autouse=True)
def keep_signals() -> Iterator[None]:
    """`main` takes signals over, and at its end leaves them to the system."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    process._caught.clear()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").write_bytes(RAW)
    (tmp_path / "good").write_bytes(CONTAINER)
    (tmp_path / "damaged").write_bytes(DAMAGED)
    (tmp_path / "broken").write_bytes(CONTAINER[:-1])
    return tmp_path


def run(
    capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> tuple[str, str]:
    assert cli.main(list(words)) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert all(line.startswith("paxect-core: ") for line in err.splitlines())
    return out, err


# --- encode and decode --------------------------------------------------------------


def test_encode_and_decode_files_come_back(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert run(capsys, "encode", "-i", "raw", "-o", "new", "--frame", "512") == ("", "")
    assert (folder / "new").read_bytes() == CONTAINER
    assert run(capsys, "decode", "-i", "new", "-o", "again") == ("", "")
    assert (folder / "again").read_bytes() == RAW


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], Settings()),
        (["--level", "19", "--frame", "1K"], Settings(level=19, frame_bytes=1024)),
        (["--level=-5", "--channels", "8"], Settings(level=-5, channels=8)),
        (
            ["--channels", "auto", "--frame", "2m"],
            Settings(channels=4, frame_bytes=2 << 20),
        ),
        (["--mapping", "u16", "--verify"], Settings(mapping="u16", verify=True)),
        (["--threads", "auto"], Settings()),
        (["--threads", "3", "--frame", "100"], Settings(frame_bytes=100)),
    ],
)
def test_encode_options_decide_the_bytes(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    words: list[str],
    settings: Settings,
) -> None:
    run(capsys, "encode", "--input=raw", "--output", "new", *words)
    assert (folder / "new").read_bytes() == reference_container(RAW, settings)


def test_pipes_encode_and_decode_without_naming_files() -> None:
    encoded = command("encode", "--frame", "512", stdin=RAW)
    assert (encoded.returncode, encoded.stdout, encoded.stderr) == (0, CONTAINER, b"")
    decoded = command("decode", "-i", "-", "-o", "-", stdin=CONTAINER)
    assert (decoded.returncode, decoded.stdout, decoded.stderr) == (0, RAW, b"")


def test_module_is_run_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "paxect_core", "encode", "--frame=512"],
        input=RAW,
        capture_output=True,
        check=True,
    )
    assert done.stdout == CONTAINER


def test_decode_of_a_pipe_that_breaks_says_how_much_was_passed_on() -> None:
    done = command("decode", stdin=CONTAINER[:-1])
    assert done.returncode == 4
    assert done.stdout == RAW[: len(done.stdout)]
    assert f"{len(done.stdout)} verified bytes were passed on".encode() in done.stderr


def test_output_to_a_device_that_breaks_does_not_claim_to_be_whole() -> None:
    done = command("decode", "-i", "broken", "-o", "/dev/null")
    assert done.returncode == 4
    assert b"verified bytes were passed on" in done.stderr


@pytest.mark.parametrize(("name", "code"), [("damaged", 2), ("broken", 4), ("none", 3)])
def test_decode_that_fails_leaves_no_file(
    capsys: pytest.CaptureFixture[str], folder: Path, name: str, code: int
) -> None:
    before = sorted(os.listdir(folder))
    out, err = run(capsys, "decode", "-i", name, "-o", "new", code=code)
    assert sorted(os.listdir(folder)) == before
    assert out == ""
    assert repr(name) in err


def test_existing_output_is_kept_unless_forced(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "new").write_bytes(b"old")
    _, err = run(capsys, "decode", "-i", "good", "-o", "new", code=3)
    assert "--force" in err
    assert (folder / "new").read_bytes() == b"old"
    run(capsys, "decode", "-i", "damaged", "-o", "new", "--force", code=2)
    assert (folder / "new").read_bytes() == b"old"
    run(capsys, "decode", "-i", "good", "-o", "new", "--force")
    assert (folder / "new").read_bytes() == RAW


def test_container_is_not_written_to_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _fd: True)
    _, err = run(capsys, "encode", "-i", "raw", code=64)
    assert "no text for a terminal" in err


# --- JSON ---------------------------------------------------------------------------

RESULT_KEYS = {
    "codec_version",
    "command",
    "container_bytes",
    "container_sha256",
    "frames",
    "input",
    "ok",
    "raw_bytes",
    "raw_sha256",
    "settings",
}


def test_json_of_each_command_describes_the_same_container(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = []
    for words in (
        ("encode", "-i", "raw", "-o", "new", "--frame=512"),
        ("decode", "-i", "new", "-o", "again"),
        ("verify", "new"),
    ):
        out, _ = run(capsys, *words, "--json")
        facts = json.loads(out)
        assert facts["ok"] is True
        assert facts["command"] == words[0]
        extra = {"output"} if words[0] != "verify" else set()
        assert set(facts) == RESULT_KEYS | extra
        seen.append({key: facts[key] for key in RESULT_KEYS - {"command", "input"}})
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["settings"] == SETTINGS._asdict()


def test_json_of_inspect_describes_without_and_with_frames(
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = json.loads(run(capsys, "inspect", "good", "--json")[0])
    assert facts["frames"] == 4
    assert facts["version"] == 42
    assert "frame_list" not in facts
    assert "container_sha256" not in facts
    words = ("inspect", "good", "--json", "--frames", "--digest")
    facts = json.loads(run(capsys, *words)[0])
    verified = json.loads(run(capsys, "verify", "good", "--json")[0])
    assert facts["container_sha256"] == verified["container_sha256"]
    assert [frame["raw_bytes"] for frame in facts["frame_list"]] == [512] * 3 + [464]


def test_json_of_an_output_to_standard_output_goes_to_standard_error() -> None:
    done = command("encode", "--json", "--frame=512", stdin=RAW)
    assert done.stdout == CONTAINER
    assert json.loads(done.stderr)["output"] == "-"


def test_json_of_a_refused_container_names_class_and_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["verify", "--json", "damaged", "none"]) == 2
    damaged, missing = map(json.loads, capsys.readouterr().out.splitlines())
    assert damaged["ok"] is False
    assert (damaged["error"], damaged["exit_code"]) == ("crc-mismatch", 2)
    assert (damaged["frame"], damaged["offset"]) == (0, 34)
    assert (missing["error"], missing["exit_code"]) == ("input", 3)


# --- verify and inspect -------------------------------------------------------------


def test_verify_says_ok_and_the_digest(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "verify", "good")
    digest = paxect_core.verify_file("good").raw_sha256
    assert out == f"good: OK, 2000 bytes, SHA-256 {digest}\n"
    assert run(capsys, "verify", "-q", "good") == ("", "")


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["good", "good"], 0),
        (["good", "none"], 3),
        (["none", "broken", "good"], 4),
        (["none", "broken", "damaged", "good"], 2),
    ],
)
def test_verify_of_several_goes_on_and_returns_the_worst_code(
    capsys: pytest.CaptureFixture[str], names: list[str], code: int
) -> None:
    out, err = run(capsys, "verify", *names, code=code)
    assert out.count(": OK") == names.count("good")
    assert len(err.splitlines()) == len(names) - names.count("good")


def test_verify_of_standard_input_and_a_named_input() -> None:
    assert command("verify", stdin=CONTAINER).stdout.startswith(b"-: OK")
    done = command("verify", "-i", "good", "-", stdin=CONTAINER)
    assert [line[:5] for line in done.stdout.splitlines()] == [b"good:", b"-: OK"]


def test_inspect_prints_facts_and_frames(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "inspect", "good", "raw", code=4)
    assert out.startswith("good\n")
    assert "frame bytes 512" in out.replace("_", " ")
    out, _ = run(capsys, "inspect", "--frames", "good")
    assert len([row for row in out.splitlines() if row.split()[0].isdigit()]) == 4


def test_inspect_of_a_pipe_says_what_to_do() -> None:
    done = command("inspect", stdin=CONTAINER)
    assert done.returncode == 3
    assert b"copy it into a file" in done.stderr


def test_lenient_takes_short_frames(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    short = reference_container(b"abc", SETTINGS, pieces=[b"a", b"bc"])
    (folder / "short").write_bytes(short)
    for name in ("verify", "inspect"):
        run(capsys, name, "short", code=4)
        run(capsys, name, "short", "--lenient")
    run(capsys, "decode", "-i", "short", "-o", "new", code=4)
    run(capsys, "decode", "-i", "short", "-o", "new", "--lenient")
    assert (folder / "new").read_bytes() == b"abc"


# --- usage --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["encod"], "did you mean encode?"),
        (["frobnicate"], "is no command; paxect-core --help"),
        (["encode", "--levle", "3"], "did you mean --level?"),
        (["encode", "--level"], "requires argument"),
        (["encode", "--zzz"], "paxect-core encode --help"),
        (["verify", "--force", "good"], "paxect-core verify --help"),
        (["encode", "raw"], "one word too many"),
        (["encode", "--level", "high"], "not a whole number"),
        (["encode", "--level", "23"], "use -128 to 22"),
        (["encode", "--channels", "9"], "use 1 to 8"),
        (["encode", "--channels", "many"], "not a whole number"),
        (["encode", "--frame", "1G"], "such as 512K or 4M"),
        (["encode", "--frame", ""], "such as 512K or 4M"),
        (["encode", "--frame", "65M"], "frame size"),
        (["encode", "--frame", "0"], "frame size"),
        (["encode", "--mapping", "u8"], "virtual or u16"),
        (["encode", "--threads", "0"], "use 1 to 64"),
        (["verify", "--threads", "65", "good"], "use 1 to 64"),
        (["decode", "--max-input-mb", "0"], "whole number of MiB"),
    ],
)
def test_wrong_usage_is_told_with_a_way_out(
    capsys: pytest.CaptureFixture[str], words: list[str], hint: str
) -> None:
    _, err = run(capsys, *words, code=64)
    assert hint in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["", *options.COMMANDS])
def test_help_fits_a_screen_of_80_by_24(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words = [name, "--help"] if name else ["--help"]
    out, _ = run(capsys, *words)
    rows = out.splitlines()
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 80
    assert rows[0].startswith("usage: paxect-core ")
    assert run(capsys, *(["help", name] if name else [])) == (out, "")
    for option in options.COMMANDS[name].options if name else ():
        assert f"--{option.name}" in out


def test_version_names_the_libzstd(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "--version")
    assert paxect_core.__version__ in out
    assert f"libzstd {paxect_core.LIBZSTD_VERSION}" in out


def test_cap_comes_from_the_option_or_the_environment(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "large").write_bytes(bytes((1 << 20) + 1))
    run(capsys, "encode", "-i", "large", "-o", "new")
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "1")
    for words in (
        ("encode", "-i", "large", "-o", "one"),
        ("decode", "-i", "new", "-o", "two"),
        ("verify", "new"),
    ):
        assert "exceed" in run(capsys, *words, code=3)[1]
        run(capsys, *words, "--max-input-mb", "2")
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "x")
    assert "PAXECT_MAX_INPUT_MB" in run(capsys, "verify", "new", code=64)[1]


# --- names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [b"bad\xff\xfe", "\U0001f600".encode(), b"a\nb: OK", b"x" * 255],
    ids=["not-utf8", "emoji", "newline", "long"],
)
@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_of_any_bytes_are_worked_with_and_shown_on_one_line(
    folder: Path, name: bytes, encoding: str
) -> None:
    environ = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    made = command("encode", "-i", "raw", "-o", name, environ=environ)
    assert made.returncode == 0
    assert name in os.listdir(os.fsencode(folder))
    for word, rows in (("verify", 1), ("inspect", 7)):
        done = command(word, b"./" + name, environ=environ)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == rows
        done = command(word, "--json", b"./" + name, environ=environ)
        assert os.fsencode(json.loads(done.stdout)["input"]) == b"./" + name
    missing = command("verify", name[:-1] + b"_", environ=environ)
    assert missing.returncode == 3
    assert len(missing.stderr.splitlines()) == 1


# --- descriptors and disks ----------------------------------------------------------


def shell(script: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        ["sh", "-c", script.replace("CORE", f"{sys.executable} -m paxect_core")],
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done


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


# --- signals ------------------------------------------------------------------------


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
        # When this returns all but a pipe's worth was read: it is in the middle.
        child.stdin.write(data[:-50])
        child.stdin.flush()
        child.send_signal(number)
        err = child.stderr.read()
        child.wait()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    assert child.returncode == code
    assert err.startswith(b"paxect-core: stopped by a signal")
    assert len(err.splitlines()) == 1
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


# --- terminal -----------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Makes standard error a terminal; to be called in the test, after capturing."""

    def open_terminal() -> Terminal:
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(os, "isatty", lambda fd: fd == 2)
        # Each look at the clock is a second later than the last.
        ticks = itertools.count()
        monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
        return screen

    return open_terminal


@pytest.mark.parametrize(
    "words",
    [
        ["encode", "-i", "raw", "-o", "new", "--frame=100"],
        ["decode", "-i", "good", "-o", "new"],
        ["verify", "good"],
    ],
)
def test_terminal_shows_a_bar_and_takes_it_off(
    terminal: Callable[[], Terminal], words: list[str]
) -> None:
    screen = terminal()
    assert cli.main(words) == 0
    shown = screen.getvalue()
    assert "MB/s" in shown
    assert "%" in shown
    _, _, after = shown.rpartition("\r\033[K")
    assert "[#" not in after
    if words[0] != "verify":
        assert "2,000 raw bytes" in after


@pytest.mark.parametrize("option", ["--quiet", "--no-progress", "--json"])
def test_terminal_shows_no_bar_when_told_not_to(
    terminal: Callable[[], Terminal], option: str
) -> None:
    screen = terminal()
    assert cli.main(["decode", "-i", "good", "-o", "new", option]) == 0
    assert ("MB/s" in screen.getvalue()) == (option == "--json")


def test_bar_of_a_stream_of_unknown_size_counts_only(
    terminal: Callable[[], Terminal],
) -> None:
    screen = terminal()
    os.mkfifo("fifo")
    fifo = os.open("fifo", os.O_RDWR)
    os.write(fifo, b"")
    bar = ProgressBar(input_bytes=None, counts_raw=True)
    bar(5_000_000, 10)
    assert "5.0 MB" in screen.getvalue()
    assert "%" not in screen.getvalue()
    bar.clear()
    bar.clear()
    bar._next = float("inf")
    before = screen.getvalue()
    bar(6_000_000, 10)
    assert screen.getvalue() == before
    with open("fifo", "rb", buffering=0) as source:
        arguments = options.parse(["verify"])
        made = cli._progress_bar(arguments, source, counts_raw=False)
        assert made is not None
        assert made._input_bytes is None
    os.close(fifo)


def test_bar_at_the_start_has_no_time_left_to_tell(
    terminal: Callable[[], Terminal],
) -> None:
    screen = terminal()
    bar = ProgressBar(input_bytes=100, counts_raw=False)
    bar(10, 0)
    assert "0%" in screen.getvalue()


def test_cores_are_counted_where_affinity_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cli._cores() == 1


def test_printing_that_fails_in_process_is_code_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    ends: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "dup2", lambda a, b: ends.append((a, b)))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Full())
        assert cli.main(["verify", "good"]) == 3
    os.close(ends[0][0])
    assert ends[0][1] == 1
    assert "No space left on device" in capsys.readouterr().err


def test_descriptors_that_are_closed_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def fstat(fd: int) -> None:
        if fd != 1:
            raise OSError(errno.EBADF, "Bad file descriptor")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        patch.setattr(os, "open", lambda _path, flags: taken.append(flags))
        process.occupy_standard_descriptors()
    assert taken == [os.O_WRONLY, os.O_RDONLY]


def test_streams_that_are_closed_are_not_printed_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refusing(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        assert cli.main(["verify", "--json", "good", "none"]) == 3
        assert cli.main(["encode", "-i", "raw", "-o", "new", "--json"]) == 0
        patch.setattr(sys, "stderr", Refusing())
        assert cli.main(["verify", "none"]) == errors.EXIT_FILE


def test_main_reads_the_words_of_its_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["paxect-core", "--version"])
    assert cli.main() == 0
    assert "libzstd" in capsys.readouterr().out
