"""Which files of a folder may be taken away: what the system says, and what is tried."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from stages import LocalStage, inbox, outbox, refused, refusing

from paxect_batch.model.items import Removal
from paxect_batch.world import removals
from paxect_batch.world.tree_descriptors import DescriptorTree

SOMEBODY = 12345
REMOVALS = tuple(Removal)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows asks each file")


def as_somebody(folder_fd: int) -> Removal:
    """Ask as a user who may do nothing special; as this one, if that is none."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(SOMEBODY, SOMEBODY, SOMEBODY)
                os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
            removals._is_above_owners.cache_clear()
            code = REMOVALS.index(removals.removal(folder_fd))
        finally:
            os._exit(code)
    return REMOVALS[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


@pytest.fixture
def folder_fd(tmp_path: Path) -> Iterator[int]:
    folder_fd = os.open(tmp_path, getattr(os, "O_PATH", os.O_RDONLY))
    yield folder_fd
    os.close(folder_fd)


@pytest.mark.parametrize(
    ("mode", "removal"),
    [(0o555, Removal.NONE), (0o666, Removal.NONE), (0o777, Removal.ANY)],
)
def test_folder_tells_by_its_permissions(
    tmp_path: Path, folder_fd: int, mode: int, removal: Removal
) -> None:
    tmp_path.chmod(mode)
    assert as_somebody(folder_fd) is removal
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="this user owns what it makes")
def test_folder_with_the_sticky_bit_gives_each_user_its_own_files(
    tmp_path: Path, folder_fd: int
) -> None:
    tmp_path.chmod(0o1777)
    assert as_somebody(folder_fd) is Removal.OWN
    assert removals.removal(folder_fd) is Removal.ANY
    os.chown(tmp_path, SOMEBODY, SOMEBODY)
    assert as_somebody(folder_fd) is Removal.ANY


class NoSayer(DescriptorTree):
    def removal(self, folder: object) -> Removal:
        return Removal.NONE


@pytest.fixture
def stage(tmp_path: Path) -> LocalStage:
    stage = LocalStage(tmp_path, NoSayer)
    stage.put(inbox("sub/file"), b"data")
    return stage


def test_where_the_system_says_no_it_is_tried_and_nothing_is_left(
    stage: LocalStage,
) -> None:
    """A server may know better: by an access list, or by who it takes the user for."""
    assert stage.share.removal(inbox("sub")) is Removal.ANY
    assert os.listdir(stage.path(inbox("sub"))) == [b"file"]


def test_folder_that_may_not_be_written_to_gives_nothing(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.share, "freshen", refusing(errno.EACCES))
    assert stage.share.removal(inbox("sub")) is Removal.NONE


def test_folder_that_is_read_only_gives_nothing(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.share, "freshen", refusing(errno.EROFS))
    assert stage.share.removal(inbox("sub")) is Removal.NONE


def test_owners_are_not_compared_where_a_server_may_know_them_by_other_numbers(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NoSayer, "removal", lambda *_: Removal.OWN)
    assert stage.share.removal(inbox("sub")) is Removal.OWN
    stage.share._is_far = True
    assert stage.share.removal(inbox("sub")) is Removal.ANY


def test_root_that_may_not_be_written_to_is_the_trouble_of_the_share(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.share, "freshen", refusing(errno.EACCES))
    with refused(errno.EACCES):
        stage.share.removal(inbox(""))


def test_folder_that_is_gone_keeps_nothing_back(stage: LocalStage) -> None:
    assert stage.share.removal(outbox("gone")) is Removal.ANY
