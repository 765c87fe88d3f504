"""What was set aside can be seen, tried again and taken out, and is never lost."""

import json
import os
import shutil
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share

from paxect_batch.cli.main import main
from paxect_batch.cli.quarantined import Quarantined
from paxect_batch.model.places import Place
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share with a container in quarantine whose sidecar was wrong."""
    share = make_share(tmp_path_factory.mktemp("quarantine"))
    policy = share / ".paxect" / "policy.toml"
    policy.write_text(policy.read_text().replace("#attempts = 3", "attempts = 1"))
    drop(share, a_txt=b"one")
    assert main(["drain", str(share), "--direction", "encode"]) == 0
    (share / "wire" / "a.txt.freq.sha256").write_text("0" * 64 + "\n")
    assert main(["drain", str(share)]) == 2
    assert list((share / "wire").iterdir()) == []
    return share


def the_id(share: Path) -> str:
    return next((share / ".paxect" / "quarantine").iterdir()).name


def test_list_shows_each_item(share: Path, command: Command) -> None:
    said = command("quarantine", "list", share)
    assert said.code == 0
    assert the_id(share) in said.out
    assert "wire/a.txt.freq" in said.out
    assert "1 file in quarantine" in said.out
    facts = json.loads(command("quarantine", "list", share, "--json").out)
    assert [each["id"] for each in facts] == [the_id(share)]


def test_show_tells_why_and_what_to_do(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = command("quarantine", "show", share, the_id(share))
    assert said.code == 0
    assert "checksum_mismatch" in said.out
    assert f"paxect-batch quarantine retry {share} {the_id(share)}" in said.out
    (file,) = (line[11:] for line in said.out.splitlines() if line.startswith("file "))
    assert Path(file).is_file()
    monkeypatch.setenv("PAXECT_BATCH_SHARE", str(share))
    facts = json.loads(command("quarantine", "show", the_id(share), "--json").out)
    assert facts["source"] == ["wire", "a.txt.freq"]


def test_retry_puts_the_item_back_and_it_is_delivered(
    share: Path, command: Command
) -> None:
    identifier = the_id(share)
    said = command("quarantine", "retry", share, identifier)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{identifier}: back at wire/a.txt.freq\n"
    assert list((share / ".paxect" / "quarantine").iterdir()) == []
    assert (share / "wire" / "a.txt.freq.sha256").exists()
    (share / "wire" / "a.txt.freq.sha256").unlink()
    assert command("drain", share).code == 0
    assert (share / "outbox" / "a.txt").read_bytes() == b"one"


def test_retry_calls_a_file_ready_that_was_called_so_before(
    share: Path, command: Command
) -> None:
    identifier = the_id(share)
    paper = share / ".paxect" / "quarantine" / identifier / "reason.json"
    reason = json.loads(paper.read_text())
    paper.write_text(json.dumps(reason | {"marker": ".ready"}))
    assert command("quarantine", "retry", share, identifier).code == 0
    assert (share / "wire" / "a.txt.freq.ready").exists()


def test_retry_all_when_a_name_is_taken_keeps_that_one(
    share: Path, command: Command
) -> None:
    (share / "wire" / "a.txt.freq").write_bytes(b"other")
    said = command("quarantine", "retry", share, "--all")
    assert said.code == 1
    assert "is taken by another file" in said.err
    assert (share / "wire" / "a.txt.freq").read_bytes() == b"other"
    folder = share / ".paxect" / "quarantine" / the_id(share)
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.txt.freq",
        "a.txt.freq.sha256",
        "reason.json",
    ]


def test_retry_of_papers_without_a_file_clears_them(
    share: Path, command: Command
) -> None:
    folder = share / ".paxect" / "quarantine" / the_id(share)
    (folder / "a.txt.freq").unlink()
    (folder / "a.txt.freq.sha256").unlink()
    said = command("quarantine", "retry", share, "--all")
    assert said.code == 0
    assert "the file was gone" in said.out
    assert not folder.exists()


def test_retry_all_goes_on_after_one_that_cannot_be_put_back(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, "\nattempts = 1\n")
    (share / "wire" / "d").mkdir()
    for name in ("d/x.freq", "y1.freq", "y2.freq", "y3.freq"):
        (share / "wire" / name).write_text("no container")
    assert command("drain", share).code == 4
    (share / "wire" / "d").rmdir()
    (share / "wire" / "d").write_text("a file where the folder was")
    quarantine = share / ".paxect" / "quarantine"
    (stays,) = (path.parent for path in quarantine.glob("*/x.freq"))
    said = command("quarantine", "retry", share, "--all")
    assert said.code == 3
    assert f"{stays.name} could not be put back" in said.err
    assert "stays in quarantine" in said.err
    assert said.out.count("back at wire/y") == 3
    assert list(quarantine.iterdir()) == [stays]
    (share / "wire" / "d").unlink()
    said = command("quarantine", "retry", share, "--all")
    assert (said.code, said.err) == (0, "")
    assert (share / "wire" / "d" / "x.freq").read_text() == "no container"


def test_retry_all_goes_on_after_one_that_another_took(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = make_share(tmp_path, "\nattempts = 1\n")
    for name in ("y1.freq", "y2.freq"):
        (share / "wire" / name).write_text("no container")
    assert command("drain", share).code == 4
    read, answers = LocalShare.read, []

    def once(self: LocalShare, place: Place, bytes_max: int) -> bytes | None:
        if place.name == "reason.json":
            answers.append(place)
            if len(answers) == 3:
                return None
        return read(self, place, bytes_max)

    monkeypatch.setattr(LocalShare, "read", once)
    said = command("quarantine", "retry", share, "--all")
    assert said.code == 3
    assert "somebody else may have taken it out" in said.err
    assert said.out.count("back at wire/y") == 1


def test_release_hands_the_item_out_whole(
    share: Path, tmp_path: Path, command: Command
) -> None:
    folder = share / ".paxect" / "quarantine" / the_id(share)
    data = (folder / "a.txt.freq").read_bytes()
    words = ("quarantine", "release", share, the_id(share), "--to", tmp_path)
    said = command(*words)
    assert said.code == 0
    assert (tmp_path / "a.txt.freq").read_bytes() == data
    assert (tmp_path / "a.txt.freq.sha256").exists()
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_no_name_in_quarantine_commands_a_terminal_or_breaks_a_line(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, "\nattempts = 1\n")
    name = "red\x1b[31m\nline\x9b2J\u202eeman.freq"
    (share / "wire" / name).write_text("no container")
    assert command("drain", share).code == 4
    identifier = the_id(share)
    out = command("quarantine", "list", share).out
    out += command("quarantine", "show", share, identifier).out
    out += command("quarantine", "retry", share, identifier).out
    assert command("drain", share).code == 4
    said = command("quarantine", "release", share, the_id(share), "--to", tmp_path)
    assert said.code == 0
    assert said.out.count("\n") == 1
    assert (tmp_path / name).read_text() == "no container"
    assert all(line.isprintable() for line in (out + said.out).split("\n"))


def test_release_never_replaces_and_keeps_the_item(
    share: Path, tmp_path: Path, command: Command
) -> None:
    target = tmp_path / "mine"
    target.write_text("mine")
    identifier = the_id(share)
    said = command("quarantine", "release", share, identifier, "--to", target)
    assert said.code == 64
    assert "stays in quarantine" in said.err
    assert target.read_text() == "mine"
    assert not (tmp_path / "mine.sha256").exists()
    folder = share / ".paxect" / "quarantine" / identifier
    assert (folder / "a.txt.freq").exists()


def test_release_to_where_nothing_can_be_written_keeps_the_item(
    share: Path, tmp_path: Path, command: Command
) -> None:
    target = tmp_path / "none" / "a"
    identifier = the_id(share)
    said = command("quarantine", "release", share, identifier, "--to", target)
    assert said.code == 3
    assert "is still in quarantine" in said.err
    folder = share / ".paxect" / "quarantine" / identifier
    assert (folder / "a.txt.freq").exists()


def test_retry_when_the_name_of_the_sidecar_is_taken_moves_nothing(
    share: Path, command: Command
) -> None:
    (share / "wire" / "a.txt.freq.sha256").write_text("other")
    said = command("quarantine", "retry", share, the_id(share))
    assert said.code == 1
    assert "wire/a.txt.freq.sha256 is taken by another file" in said.err
    assert not (share / "wire" / "a.txt.freq").exists()


def test_item_that_another_one_takes_meanwhile_is_told(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = LocalShare.read
    answers = []

    def once(self: LocalShare, place: Place, bytes_max: int) -> bytes | None:
        if place.name == "reason.json":
            answers.append(place)
            if len(answers) > 1:
                return None
        return read(self, place, bytes_max)

    monkeypatch.setattr(LocalShare, "read", once)
    said = command("quarantine", "show", share, the_id(share))
    assert said.code == 3
    assert "somebody else may have taken it out" in said.err


def test_what_is_taken_out_is_told_as_json_when_that_is_asked_for(
    share: Path, tmp_path: Path, command: Command
) -> None:
    identifier = the_id(share)
    copy = tmp_path / "copy"
    shutil.copytree(share, copy)
    said = command("quarantine", "retry", share, "--all", "--json")
    assert json.loads(said.out) == {
        "id": identifier,
        "became": "back",
        "place": "wire/a.txt.freq",
        "stray": "",
    }
    target = str(tmp_path / "out.freq")
    words = ("quarantine", "release", copy, identifier, "--to", target, "--json")
    told = json.loads(command(*words).out)
    assert (told["became"], told["place"]) == ("released", target)


@pytest.mark.parametrize("after_copies", [0, 1, 2])
def test_release_of_what_a_retry_puts_back_meanwhile_leaves_no_copy(
    share: Path,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    after_copies: int,
) -> None:
    identifier, copies = the_id(share), 0
    copy_out = Quarantined._copy_out

    def retry(item: Quarantined, place: Place, target: str) -> None:
        nonlocal copies
        words = ["quarantine", "retry", str(share), identifier]
        if copies == after_copies:
            assert main(words) == 0
        copy_out(item, place, target)
        copies += 1
        if copies == after_copies == 2:
            assert main(words) == 0

    monkeypatch.setattr(Quarantined, "_copy_out", retry)
    out = tmp_path / "out"
    out.mkdir()
    said = command("quarantine", "release", share, identifier, "--to", out)
    assert said.code == 3
    assert "taken out of quarantine by somebody else" in said.err
    assert "see whether it is back at wire/a.txt.freq" in said.err
    assert list(out.iterdir()) == []
    assert (share / "wire" / "a.txt.freq").exists()
    assert (share / "wire" / "a.txt.freq.sha256").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "S", "x"], "'x' is one word too many"),
        (["show", "S"], "show needs an ID"),
        (["retry", "S"], "retry needs an ID or --all"),
        (["release"], "release needs an ID"),
        (["show", "S", "nope"], "'nope' is not in quarantine"),
        (["release", "S", "ID"], "add --to PATH"),
    ],
)
def test_words_that_cannot_be_meant_are_64(
    share: Path, command: Command, words: list[str], told: str
) -> None:
    known = {"S": share, "ID": the_id(share)}
    said = command("quarantine", *[known.get(word, word) for word in words])
    assert said.code == 64
    assert told in said.err


def test_list_names_what_has_no_reason_that_can_be_read(
    share: Path, command: Command
) -> None:
    path = share / ".paxect" / "quarantine" / the_id(share) / "reason.json"
    path.write_text("{")
    said = command("quarantine", "list", share)
    assert said.code == 0
    assert "0 files in quarantine" in said.out
    assert f"quarantine/{path.parent.name} has no reason.json" in said.err
