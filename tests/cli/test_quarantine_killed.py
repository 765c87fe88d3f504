"""What `quarantine retry` left half done is finished, and delivered once."""

import errno
import json
import os
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share

from paxect_batch.cli.main import main
from paxect_batch.world import tree_descriptors
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share with a container in quarantine, for which there is room by now."""
    share = make_share(
        tmp_path_factory.mktemp("killed"), "\non_collision = 'quarantine'\n"
    )
    (share / "outbox" / "a.txt").write_text("older")
    drop(share, a_txt=b"one")
    assert main(["drain", str(share)]) == 1
    (share / "outbox" / "a.txt").unlink()
    assert list((share / "wire").iterdir()) == []
    return share


def the_folder(share: Path) -> Path:
    return next((share / ".paxect" / "quarantine").iterdir())


def kill_between_link_and_unlink(
    share: Path, name: str, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    """Retry where a move is a link, and end as the first of two names would go."""
    unlink = os.unlink

    def killed(path: str | bytes, **named: int) -> None:
        if os.fsdecode(path) == name:
            raise Killed
        unlink(path, **named)

    with monkeypatch.context() as patch:
        patch.setattr(tree_descriptors, "is_local", lambda _fd: False)
        patch.setattr(os, "unlink", killed)
        with pytest.raises(Killed):
            command("quarantine", "retry", share, "--all")
    kept = the_folder(share) / name
    assert kept.stat().st_ino == (share / "wire" / name).stat().st_ino


@pytest.mark.parametrize("name", ["a.txt.freq", "a.txt.freq.sha256"])
def test_retry_after_one_that_was_killed_finishes_it(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kill_between_link_and_unlink(share, name, monkeypatch, command)
    identifier = the_folder(share).name
    said = command("quarantine", "retry", share, identifier)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{identifier}: back at wire/a.txt.freq\n"
    assert list((share / ".paxect" / "quarantine").iterdir()) == []
    assert command("drain", share).code == 0
    assert (share / "outbox" / "a.txt").read_bytes() == b"one"


def test_retry_of_what_was_delivered_since_delivers_it_no_more(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_between_link_and_unlink(share, "a.txt.freq", monkeypatch, command)
    assert command("drain", share).audit["delivered"]["files"] == 1
    (share / "outbox" / "a.txt").unlink()
    identifier = the_folder(share).name
    said = command("quarantine", "retry", share, "--all")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        f"{identifier}: it was back already and arrived as outbox/a.txt; it was "
        "removed from quarantine\n"
    )
    assert list((share / ".paxect" / "quarantine").iterdir()) == []
    assert command("drain", share).audit["seen"]["files"] == 0


def test_retry_of_what_was_delivered_before_it_was_set_aside_puts_it_back(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, "\non_done = 'archive'\n")
    drop(share, a_txt=b"one")
    assert command("drain", share).code == 0
    # Its operator has it delivered again, and the first one lies there still.
    archived = share / ".paxect" / "archive" / "wire" / "a.txt.freq"
    (share / "outbox" / "a.txt").write_text("older")
    archived.rename(share / "wire" / "a.txt.freq")
    assert command("drain", share).code == 1
    (share / "outbox" / "a.txt").unlink()
    said = command("quarantine", "retry", share, "--all")
    assert (said.code, said.err) == (0, "")
    assert "back at wire/a.txt.freq" in said.out
    assert command("drain", share).code == 0
    assert (share / "outbox" / "a.txt").read_bytes() == b"one"


@pytest.mark.parametrize("fails", ["write", "sync_folder"])
def test_retry_of_a_file_that_was_moved_back_already_ends_what_was_begun(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """The next one said that it was gone, and it was never taken."""
    identifier = the_folder(share).name
    paper = the_folder(share) / "reason.json"
    reason = json.loads(paper.read_text())
    long_ago = reason["at"] - 3600
    paper.write_text(json.dumps(reason | {"marker": ".ready", "at": long_ago}))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(LocalShare, fails, full)
        assert command("quarantine", "retry", share, identifier).code == 3
    assert (share / "wire" / "a.txt.freq").exists()
    said = command("quarantine", "retry", share, identifier)
    assert (said.code, said.out) == (0, f"{identifier}: back at wire/a.txt.freq\n")
    assert (share / "wire" / "a.txt.freq.ready").exists()
    assert list((share / ".paxect" / "quarantine").iterdir()) == []
