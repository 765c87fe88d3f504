"""The bell: it rings for what comes into folders that were listed, and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.bell import FakeBell
from fakes.clock import FakeClock

from paxect_batch.model.places import Place, Root
from paxect_batch.seams import Bell
from paxect_batch.world import bell as bells
from paxect_batch.world.bell import FolderBell, hang_bell
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux is asked for what came"
)
LONG_SECONDS = 30.0


class Hung:
    """A bell on an inbox, and a share that tells it what is listed."""

    def __init__(self, folder: Path) -> None:
        self.inbox = folder / "inbox"
        self.outbox = folder / "outbox"
        for path in (self.inbox, self.outbox):
            path.mkdir()
        roots = {Root.INBOX: bytes(self.inbox), Root.OUTBOX: bytes(self.outbox)}
        self.bell = FolderBell({Root.INBOX: roots[Root.INBOX]})
        self.share = LocalShare(roots, heed=self.bell.heed)

    def list(self, *names: str, root: Root = Root.INBOX) -> None:
        for name in names or ("",):
            list(self.share.entries(Place(root, name)))

    @property
    def rings(self) -> bool:
        return self.bell.wait(0.0)


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[Hung]:
    made = Hung(tmp_path)
    yield made
    made.bell.close()


class Drops(NamedTuple):
    """A bell, and what makes it ring."""

    bell: Bell
    drop: Callable[[str], object]


@pytest.fixture(params=["folder", "fake"])
def drops(request: pytest.FixtureRequest, hung: Hung) -> Drops:
    if request.param == "folder":
        hung.list()
        return Drops(hung.bell, lambda name: (hung.inbox / name).touch())
    fake = FakeBell(FakeClock())
    return Drops(fake, lambda name: fake.ring())


def test_waits_out_its_time_where_nothing_comes(drops: Drops) -> None:
    assert not drops.bell.wait(0.01)
    assert not drops.bell.wait(-1.0)


def test_rings_once_for_all_that_came_before_anybody_waited(drops: Drops) -> None:
    for number in range(3000):
        drops.drop(f"a long name that fills what is told {number}")
    assert drops.bell.wait(LONG_SECONDS)
    assert not drops.bell.wait(0.0)


@pytest.mark.parametrize("how", ["write", "rename", "link", "folder", "append"])
def test_rings_whichever_way_a_file_comes(hung: Hung, tmp_path: Path, how: str) -> None:
    (tmp_path / "beside").write_bytes(b"data")
    (hung.inbox / "old").write_bytes(b"data")
    hung.list()
    new = hung.inbox / "new"
    if how == "write":
        new.write_bytes(b"data")
    elif how == "rename":
        (tmp_path / "beside").rename(new)
    elif how == "link":
        os.link(tmp_path / "beside", new)
    elif how == "folder":
        new.mkdir()
    else:
        with (hung.inbox / "old").open("ab") as stream:
            stream.write(b"more")
    assert hung.bell.wait(LONG_SECONDS)


def test_does_not_ring_for_what_goes_or_is_read_or_is_our_own(
    hung: Hung, tmp_path: Path
) -> None:
    for name in ("gone", "moved", "read"):
        (hung.inbox / name).write_bytes(b"data")
    (hung.inbox / ".paxect").mkdir()
    hung.list("", ".paxect")
    (hung.inbox / "gone").unlink()
    (hung.inbox / "moved").rename(tmp_path / "away")
    (hung.inbox / "read").read_bytes()
    hung.share.freshen(Place(Root.INBOX, ""))
    (hung.inbox / ".paxect" / "paper").write_bytes(b"ours")
    hung.list(root=Root.OUTBOX)
    (hung.outbox / "new").write_bytes(b"data")
    assert not hung.rings


def test_hears_folders_below_once_they_were_listed(hung: Hung) -> None:
    below = hung.inbox / "a\n\\b"
    below.mkdir()
    hung.list("", r"a\x0a\x5cb")
    (below / "new").write_bytes(b"data")
    assert hung.rings


@pytest.mark.parametrize("how", ["removed", "moved away"])
def test_folder_that_was_replaced_is_heard_when_it_is_listed_again(
    hung: Hung, how: str
) -> None:
    below, aside = hung.inbox / "below", hung.outbox / "aside"
    (below / "deep").mkdir(parents=True)
    hung.list("", "below", "below/deep")
    if how == "removed":
        (below / "deep").rmdir()
        below.rmdir()
    else:
        below.rename(aside)
    (below / "deep").mkdir(parents=True)
    assert hung.rings
    hung.list("below", "below/deep")
    for folder in (below, below / "deep"):
        (folder / "new").write_bytes(b"data")
        assert hung.rings
    if how == "moved away":
        (aside / "deep" / "new").write_bytes(b"data")
    assert not hung.rings


def test_root_that_was_replaced_is_heard_with_what_is_below(
    hung: Hung, tmp_path: Path
) -> None:
    below = hung.inbox / "below"
    below.mkdir()
    hung.list("", "below")
    hung.inbox.rename(tmp_path / "old")
    assert hung.rings
    below.mkdir(parents=True)
    hung.list("", "below")
    (below / "new").write_bytes(b"data")
    assert hung.rings
    (tmp_path / "old/below/new").write_bytes(b"data")
    assert not hung.rings


def test_root_in_a_folder_that_was_replaced_is_heard_when_it_is_listed_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "share").mkdir()
    hung = Hung(tmp_path / "share")
    hung.list()
    (tmp_path / "share").rename(tmp_path / "old")
    hung.inbox.mkdir(parents=True)
    hung.list()
    (hung.inbox / "new").write_bytes(b"data")
    assert hung.rings
    hung.bell.close()


def test_folder_that_was_replaced_while_too_much_came_is_heard(hung: Hung) -> None:
    below = hung.inbox / "below"
    below.mkdir()
    hung.list("", "below")
    queued = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    one, other = hung.inbox / "one", hung.inbox / "other"
    one.touch()
    # All are of the folder above: what is told twice in a row is told once.
    for _ in range(queued // 2 + 1):
        one.rename(other)
        other.rename(one)
    below.rmdir()
    below.mkdir()
    assert hung.rings
    hung.list("below")
    (below / "new").write_bytes(b"data")
    assert hung.rings


def test_folder_that_was_moved_and_listed_is_heard_where_it_is(hung: Hung) -> None:
    below, moved = hung.inbox / "below", hung.inbox / "moved"
    below.mkdir()
    hung.list("", "below")
    below.rename(moved)
    hung.list("", "moved")
    assert hung.rings
    hung.list("", "moved")
    (moved / "new").write_bytes(b"data")
    assert hung.rings


def test_server_that_is_mounted_below_a_root_is_not_heard(
    hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = hung.inbox / "mounted"
    mounted.mkdir()
    hung.list()
    assert hung.bell.hears_all
    monkeypatch.setattr(bells, "is_far", lambda path: path == bytes(mounted))
    hung.list("mounted")
    assert not hung.bell.hears_all


def test_goes_on_where_the_system_heeds_no_more_folders(
    hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = hung.inbox / "below"
    below.mkdir()
    hung.list("", "not there")
    assert hung.bell.hears_all
    monkeypatch.setattr(bells, "FOLDERS_MAX", 1)
    hung.list("below")
    assert not hung.bell.hears_all
    (below / "new").write_bytes(b"data")
    assert not hung.rings
    (hung.inbox / "new").write_bytes(b"data")
    assert hung.rings


def test_link_in_place_of_a_folder_is_not_followed(hung: Hung) -> None:
    (hung.inbox / "link").symlink_to(hung.outbox)
    hung.list()
    hung.bell.heed(Place(Root.INBOX, "link"))
    (hung.outbox / "new").write_bytes(b"data")
    assert not hung.rings


def test_no_bell_is_hung_where_others_do_what_this_machine_cannot_hear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = {Root.INBOX: bytes(tmp_path), Root.WIRE: bytes(tmp_path)}
    near = hang_bell(roots, [Root.INBOX])
    assert near is not None
    assert near.hears_all
    near.close()
    monkeypatch.setattr(bells, "is_far", lambda path: path == bytes(tmp_path / "far"))
    roots[Root.OUTBOX] = bytes(tmp_path / "far")
    some = hang_bell(roots, [Root.INBOX, Root.OUTBOX])
    assert some is not None
    assert not some.hears_all
    some.close()
    monkeypatch.setattr(bells, "is_far", lambda path: True)
    assert hang_bell(roots, [Root.INBOX, Root.WIRE]) is None
