"""What a Link refuses before it touches anything, and what it says then."""

import os
import socket
from pathlib import Path

import pytest

from paxect_batch.cli.link import main
from paxect_batch.seams import Applicant
from paxect_batch.world.locks import FileLocks


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("POLL_SEC", "often", "PAXECT_LINK_POLL_SEC is 'often'"),
        ("POLL_SEC", "0", "use seconds from 0.05 to 86400"),
        ("BACKOFF_SEC", "-1", "PAXECT_LINK_BACKOFF_SEC is '-1'"),
        ("LOG_MAX", "12", "use a whole number from 4096 up"),
        ("INBOX", "", "use the path of a file or folder"),
        ("INBX", "in", "did you mean PAXECT_LINK_INBOX?"),
        ("QQQQ", "in", "PAXECT_LINK_QQQQ ('in') is unknown; nothing was touched"),
        ("OUTBOX", "inbox", "use two folders"),
        ("OUTBOX", "inbox/out", "none lies in another"),
        ("OUTBOX", "inbox/.paxect", "use a folder outside it"),
    ],
)
def test_variable_that_cannot_be_meant_is_64(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv(f"PAXECT_LINK_{variable}", value)
    assert main([]) == 64
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("paxect-link: ")
    assert told in said.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"version": "1.2.0", "max_file_mb": "many"}', 'max_file_mb is "many"'),
        ('{"version": "1.2.0", "trusted": []}', 'did you mean "trusted_nodes"?'),
        ('{"version": "1.2.0"', "not JSON"),
        ("{}", 'key "version" is missing'),
    ],
)
def test_policy_that_cannot_be_meant_is_64_and_stays(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    policy = folder / "link_policy.json"
    policy.write_text(text)
    assert main([]) == 64
    said = capsys.readouterr().err
    assert "link_policy.json" in said
    assert told in said
    assert policy.read_text() == text
    assert os.listdir(folder) == ["link_policy.json"]


def test_policy_that_cannot_be_read_is_64(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "link_policy.json").mkdir()
    assert main([]) == 64
    assert "see that it is there and can be read" in capsys.readouterr().err


def test_policy_that_cannot_be_written_is_64(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAXECT_LINK_POLICY", "none/policy.json")
    assert main([]) == 64
    assert "none/policy.json" in capsys.readouterr().err


def test_folder_that_cannot_be_made_is_75(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "inbox").write_text("a file")
    assert main([]) == 75
    assert "make it, or name another" in capsys.readouterr().err


def test_inbox_that_another_one_holds_by_its_own_lock_is_75_with_advice_for_a_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = folder / "inbox" / ".paxect"
    state.mkdir(parents=True)
    held = FileLocks(str(state), run_lock=str(folder / "one.lock"))
    held.join(Applicant(node=socket.gethostname(), run="run-of-another"))
    monkeypatch.setenv("PAXECT_LINK_LOCK", "two.lock")
    try:
        assert main([]) == 75
    finally:
        held.leave()
    said = capsys.readouterr().err
    assert "takes from this inbox under another lock than 'two.lock'" in said
    assert "set PAXECT_LINK_INBOX" in said
    assert "--node" not in said
    assert "nothing was changed" not in said


def test_manifest_that_cannot_be_written_lets_the_lock_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAXECT_LINK_MANIFEST", "none/manifest.json")
    for _ in range(2):
        assert main([]) in (3, 75)
        said = capsys.readouterr()
        assert said.out == ""
        assert "none/manifest.json" in said.err
    assert not (folder / "paxect_link_log.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--help"], 0, "PAXECT_LINK_POLL_SEC [2.0]"),
        (["-h"], 0, "usage: paxect-link"),
        (["--version"], 0, "as Link 1.2.0"),
        (["drain"], 64, "takes no arguments"),
    ],
)
def test_words_are_answered_and_nothing_is_made(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    told: str,
) -> None:
    assert main(words) == code
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert list(folder.iterdir()) == []
