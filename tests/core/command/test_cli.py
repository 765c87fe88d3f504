"""The command: its words, outputs, exit codes, and what it says when things go wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_ground import CONTAINER, RAW, SETTINGS, run
from samples import command, reference_container

import paxect_core
from paxect_core import cli, options
from paxect_core.wire import Settings

# --- encode and decode ----------------------------------------------------------------


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


# --- JSON -----------------------------------------------------------------------------


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


# --- verify and inspect ---------------------------------------------------------------


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


# --- usage ----------------------------------------------------------------------------


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
        told = run(capsys, *words, code=3)[1]
        assert "exceed" in told
        assert "raise PAXECT_MAX_INPUT_MB if that is meant" in told
        assert f"{words[-3 if '-o' in words else -1]!r}: " in told
        run(capsys, *words, "--max-input-mb", "2")
    monkeypatch.setenv("PAXECT_MAX_INPUT_MB", "x")
    assert "PAXECT_MAX_INPUT_MB" in run(capsys, "verify", "new", code=64)[1]


# --- names ----------------------------------------------------------------------------


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
