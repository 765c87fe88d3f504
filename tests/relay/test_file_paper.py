"""Papers of runs, of which there are very many: filed whole, and never looked through."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import IO

import pytest

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Attempts
from paxect_batch.relay import state
from paxect_batch.relay.sweep import AGE_SECONDS_MIN, Sweeper
from paxect_batch.world.share import LocalShare


@pytest.fixture
def share(tmp_path: Path) -> LocalShare:
    roots = {root: tmp_path / root for root in Root}
    for path in roots.values():
        path.mkdir()
    return LocalShare(roots)


def below(tmp_path: Path) -> list[str]:
    there = (tmp_path / "state").rglob("*")
    return sorted(
        str(path.relative_to(tmp_path / "state")) for path in there if path.is_file()
    )


def test_paper_is_filed_whole_under_its_runs_name(
    share: LocalShare, tmp_path: Path
) -> None:
    state.file_paper(share, "runs", "n1", "r1", b"{}\n")
    state.file_paper(share, "runs", "n1", "r2", b"[]\n")
    assert below(tmp_path) == ["runs/n1/r1.json", "runs/n1/r2.json"]
    assert (tmp_path / "state" / "runs" / "n1" / "r2.json").read_bytes() == b"[]\n"


def test_paper_that_is_there_is_not_replaced(share: LocalShare, tmp_path: Path) -> None:
    state.file_paper(share, "runs", "n1", "r1", b"first\n")
    with pytest.raises(FileExistsError):
        state.file_paper(share, "runs", "n1", "r1", b"second\n")
    assert below(tmp_path) == ["runs/n1/r1.json"]
    assert (tmp_path / "state" / "runs" / "n1" / "r1.json").read_bytes() == b"first\n"


def test_paper_is_filed_where_only_the_nodes_own_folder_lets_write(
    share: LocalShare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = LocalShare.create

    def refuse(self: LocalShare, place: Place) -> IO[bytes]:
        if place.folder == state.state("runs"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return create(self, place)

    monkeypatch.setattr(LocalShare, "create", refuse)
    state.file_paper(share, "runs", "n1", "r1", b"{}\n")
    assert below(tmp_path) == ["runs/n1/r1.json"]


def test_folder_of_papers_that_is_a_link_keeps_nothing_from_being_swept(
    share: LocalShare, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state" / "settings").symlink_to(tmp_path / "elsewhere")
    Sweeper(share).sweep()


@pytest.mark.parametrize("folder", ["runs", "settings"])
def test_paper_that_a_kill_left_half_filed_is_swept(
    share: LocalShare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(share, "rename_new", killed)
        patch.setattr(share, "remove", lambda _place: False)
        with pytest.raises(KeyboardInterrupt):
            state.file_paper(share, folder, "n1", "r1", b"{}\n")
    assert below(tmp_path) == [f"{folder}/.paxect-r1.tmp"]
    Sweeper(share).sweep()
    assert below(tmp_path) == [f"{folder}/.paxect-r1.tmp"]
    later = share.now() + AGE_SECONDS_MIN + 60.0
    monkeypatch.setattr(share, "now", lambda: later)
    Sweeper(share).sweep()
    assert below(tmp_path) == []


def test_paper_is_filed_durably(
    share: LocalShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    rename, sync = LocalShare.rename_new, LocalShare.sync_folder

    def noted_rename(self: LocalShare, source: Place, target: Place) -> None:
        steps.append(f"name {target}")
        rename(self, source, target)

    def noted_sync(self: LocalShare, folder: Place) -> None:
        steps.append(f"sync {folder}")
        sync(self, folder)

    monkeypatch.setattr(LocalShare, "rename_new", noted_rename)
    monkeypatch.setattr(LocalShare, "sync_folder", noted_sync)
    state.file_paper(share, "runs", "n1", "r1", b"{}\n")
    assert steps[-2:] == ["name .paxect/runs/n1/r1.json", "sync .paxect/runs/n1"]


def test_paper_gets_its_name_from_a_folder_that_is_there(
    share: LocalShare, tmp_path: Path
) -> None:
    """A folder there would end every run that fails with the item."""
    place = state.attempts_place("key")
    (tmp_path / "state" / place.path / "in it").mkdir(parents=True)
    paper = Attempts(
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "a.txt"),
        identity=Identity(1, 2, 3),
        failures=(),
    )
    state.save_paper(share, place, paper)
    assert state.load_paper(share, place, Attempts) == paper
    assert (tmp_path / "state" / f"{place.path}.unreadable" / "in it").is_dir()


def test_paper_is_durably_whole_before_it_has_its_name(
    share: LocalShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    rename, sync = LocalShare.rename_new, LocalShare.sync

    def noted_rename(self: LocalShare, source: Place, target: Place) -> None:
        steps.append("name")
        rename(self, source, target)

    def noted_sync(self: LocalShare, stream: IO[bytes]) -> None:
        steps.append("sync")
        sync(self, stream)

    monkeypatch.setattr(LocalShare, "rename_new", noted_rename)
    monkeypatch.setattr(LocalShare, "sync", noted_sync)
    state.file_paper(share, "runs", "n1", "r1", b"{}\n")
    assert steps == ["sync", "name"]
