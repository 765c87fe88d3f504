"""What only the share on folders does, and what hostile folders do to it."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
from stages import LocalStage, inbox, outbox, refused

from paxect_batch.model.items import Facts, Kind, Removal
from paxect_batch.model.places import Place, Root
from paxect_batch.world import root_traits, syncing, tree_descriptors
from paxect_batch.world.share import NOW_AGE_SECONDS_MAX, LocalShare
from paxect_batch.world.tree import CREATE
from paxect_batch.world.tree_descriptors import FOLDERS_OPEN_MAX, DescriptorTree
from paxect_batch.world.tree_paths import PathTree

NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a moment, if this is root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def swap_for_link(stage: LocalStage, folder: Place, outside: Path) -> None:
    os.rename(stage.path(folder), stage.path(folder) + b".old")
    os.symlink(outside, stage.path(folder))


def test_folder_swapped_for_a_link_after_the_scan_leads_nowhere(
    stage: LocalStage, tmp_path: Path
) -> None:
    share = stage.share
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret")
    stage.put(inbox("a/b/file"), b"ours")
    stage.put(inbox("file"), b"ours")
    # The scan, which leaves the folder open.
    (entry,) = share.entries(inbox("a/b"))
    assert share.look(entry.place) is not None
    swap_for_link(stage, inbox("a/b"), outside)
    for act in (
        lambda: share.look(entry.place),
        lambda: share.open_source(entry.place),
        lambda: share.read(entry.place, 10),
        lambda: share.remove(entry.place),
        lambda: share.create(inbox("a/b/new")),
        lambda: share.write(entry.place, b"overwritten"),
        lambda: share.rename_new(entry.place, outbox("file")),
        lambda: share.rename_new(inbox("file"), inbox("a/b/new")),
        lambda: share.make_folder(inbox("a/b/new")),
        lambda: share.remove_folder(inbox("a/b/new")),
        lambda: share.freshen(inbox("a/b")),
        lambda: list(share.entries(inbox("a/b"))),
    ):
        with refused(errno.ELOOP):
            act()
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"secret"


def test_folder_swapped_all_the_time_never_leads_outside(
    descriptors: LocalStage, tmp_path: Path
) -> None:
    tree = DescriptorTree(descriptors.roots)
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = descriptors.path(inbox("a"))
    os.mkdir(folder)
    os.symlink(outside, folder + b".link")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            os.rename(folder, folder + b".real")
            os.rename(folder + b".link", folder)
            os.rename(folder, folder + b".link")
            os.rename(folder + b".real", folder)

    swapper = threading.Thread(target=swap)
    swapper.start()
    numbers = []
    try:
        for number in range(1500):
            try:
                os.close(tree.open(inbox(f"a/{number}"), CREATE))
                numbers.append(0)
            except OSError as error:
                numbers.append(error.errno or -1)
    finally:
        ended.set()
        swapper.join()
    assert list(outside.iterdir()) == []
    assert set(numbers) <= {0, errno.ELOOP, errno.ENOENT}


def test_folder_that_moved_out_of_the_share_is_not_there(
    stage: LocalStage, tmp_path: Path
) -> None:
    stage.put(inbox("a/b/file"), b"")
    assert stage.share.look(inbox("a/b/file")) is not None
    os.rename(stage.path(inbox("a")), tmp_path / "away")
    assert stage.share.look(inbox("a/b/file")) is None
    stage.share.create(inbox("a/b/new")).close()
    assert stage.get(inbox("a/b/new")) == b""
    assert sorted(os.listdir(tmp_path / "away/b")) == ["file"]


def test_folder_removed_and_made_anew_is_the_new_one(stage: LocalStage) -> None:
    stage.put(inbox("a/file"), b"old")
    assert stage.share.look(inbox("a/file")) is not None
    shutil.rmtree(stage.path(inbox("a")))
    assert stage.share.look(inbox("a/file")) is None
    stage.put(inbox("a/file"), b"new!")
    assert stage.share.read(inbox("a/file"), 10) == b"new!"


def test_root_mounted_anew_is_the_new_one(stage: LocalStage) -> None:
    stage.put(inbox("file"), b"old")
    assert stage.share.read(inbox("file"), 10) == b"old"
    os.rename(stage.roots[Root.INBOX], stage.roots[Root.INBOX] + b".away")
    with pytest.raises(FileNotFoundError):
        stage.share.make_folder(inbox(""))
    with pytest.raises(FileNotFoundError):
        stage.share.make_folder(inbox("folder"))
    with pytest.raises(FileNotFoundError):
        stage.share.create(inbox("file"))
    os.mkdir(stage.roots[Root.INBOX])
    assert stage.share.read(inbox("file"), 10) is None


def test_folders_kept_open_are_bounded(descriptors: LocalStage) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no list of open files on this platform")
    for number in range(FOLDERS_OPEN_MAX * 2):
        descriptors.put(inbox(f"{number}/file"), b"")
    before = len(os.listdir("/proc/self/fd"))
    for number in range(FOLDERS_OPEN_MAX * 2):
        assert descriptors.share.look(inbox(f"{number}/file")) is not None
    assert len(os.listdir("/proc/self/fd")) <= before + FOLDERS_OPEN_MAX
    del descriptors.share
    assert len(os.listdir("/proc/self/fd")) <= before


def test_threads_share_the_open_folders(descriptors: LocalStage) -> None:
    folders = FOLDERS_OPEN_MAX + 20
    for number in range(folders):
        descriptors.put(inbox(f"{number}/file"), b"%d" % number)
    wrong: list[int] = []

    def read_all(start: int) -> None:
        for step in range(folders * 2):
            number = (start + step) % folders
            data = descriptors.share.read(inbox(f"{number}/file"), 10)
            if data != b"%d" % number:
                wrong.append(number)

    threads = [threading.Thread(target=read_all, args=(n * 20,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_folder_asked_for_removals_stays_open_whatever_others_open(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(FOLDERS_OPEN_MAX + 1):
        descriptors.put(inbox(f"{number}/file"), b"")
    asked: list[int] = []

    def ask_late(folder_fd: int) -> Removal:
        for number in range(1, FOLDERS_OPEN_MAX + 1):
            descriptors.share.look(inbox(f"{number}/file"))
        asked.append(os.fstat(folder_fd).st_ino)
        return Removal.ANY

    monkeypatch.setattr(tree_descriptors, "removal", ask_late)
    descriptors.share.removal(inbox("0"))
    assert asked == [os.stat(descriptors.path(inbox("0"))).st_ino]


@pytest.mark.parametrize("seconds", [20_000_000_000, -12_000_000_000])
def test_time_that_no_paper_can_hold_is_told_as_the_nearest_that_can(
    stage: LocalStage, seconds: int
) -> None:
    stage.put(inbox("file"), b"")
    os.utime(stage.path(inbox("file")), (0, seconds))
    facts = stage.share.look(inbox("file"))
    assert facts is not None
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Facts) == facts


def test_device_is_told_and_not_opened(stage: LocalStage) -> None:
    try:
        os.mknod(stage.path(inbox("null")), stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("may not make devices")
    found = stage.share.look(inbox("null"))
    assert found is not None
    assert found.kind is Kind.OTHER
    with refused(errno.EINVAL):
        stage.share.open_source(inbox("null"))


def test_socket_is_told(stage: LocalStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.fsdecode(stage.roots[Root.INBOX]))
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        found = stage.share.look(inbox("socket"))
        assert found is not None
        assert found.kind is Kind.OTHER
        with refused(errno.ENXIO):
            stage.share.open_source(inbox("socket"))


@pytest.mark.parametrize("tree", [DescriptorTree, PathTree])
def test_unreadable_file_is_eacces_and_others_go_on(
    tree: type[DescriptorTree | PathTree],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        stage = LocalStage(Path(folder), tree)
        stage.put(inbox("secret"), b"secret")
        stage.put(inbox("file"), b"data")
        stage.put(inbox("closed/file"), b"data")
        os.chmod(stage.path(inbox("secret")), 0)
        os.chmod(stage.path(inbox("closed")), 0)
        try:
            with unprivileged():
                share = LocalShare(stage.roots, tree=tree(stage.roots))
                for act in (partial(share.look, closely=True), share.open_source):
                    with refused(errno.EACCES):
                        act(inbox("secret"))
                    with refused(errno.EACCES):
                        act(inbox("closed/file"))
                with refused(errno.EACCES):
                    list(share.entries(inbox("closed")))
                assert share.read(inbox("file"), 10) == b"data"
        finally:
            os.chmod(stage.path(inbox("closed")), 0o700)


def test_folder_that_may_be_passed_but_not_listed_is_passed() -> None:
    if not hasattr(os, "O_PATH"):
        pytest.skip("folders are opened to be read here")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        stage = LocalStage(Path(folder), DescriptorTree)
        stage.put(inbox("drop/file"), b"data")
        os.chmod(stage.path(inbox("drop")), 0o711)
        with unprivileged():
            share = LocalShare(stage.roots)
            assert share.read(inbox("drop/file"), 10) == b"data"


def test_folder_that_may_be_written_to_but_not_listed_is_made_durable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    synced: list[int] = []

    def sync_around(fd: int) -> None:
        synced.append(fd)
        syncing.sync_around(fd)

    monkeypatch.setattr(tree_descriptors, "sync_around", sync_around)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        stage = LocalStage(Path(folder), DescriptorTree)
        stage.put(inbox("drop/file"), b"data")
        stage.put(inbox("closed/file"), b"data")
        os.chmod(stage.path(inbox("drop")), 0o733)
        os.chmod(stage.path(inbox("closed")), 0o711)
        if os.geteuid() != 0:
            os.chmod(stage.path(inbox("drop")), 0o333)
            os.chmod(stage.path(inbox("closed")), 0o111)
        try:
            with unprivileged():
                share = LocalShare(stage.roots)
                share.sync_folder(inbox("drop"))
                assert len(synced) == 1
                assert share.sync_folders([inbox("drop")] * 5) == (None,) * 5
                with refused(errno.EACCES):
                    share.sync_folder(inbox("closed"))
        finally:
            for name in ("drop", "closed"):
                os.chmod(stage.path(inbox(name)), 0o755)
        assert os.listdir(stage.path(inbox("drop"))) == [b"file"]


class CountingTree(DescriptorTree):
    opened = 0

    def open(self, place: Place, flags: int) -> int:
        self.opened += 1
        return super().open(place, flags)


def test_now_probes_the_share_seldom(descriptors: LocalStage) -> None:
    tree = CountingTree(descriptors.roots)
    seconds = [1000.0]
    share = LocalShare(descriptors.roots, tree=tree, monotonic=lambda: seconds[0])
    first = share.now()
    seconds[0] += NOW_AGE_SECONDS_MAX
    assert share.now() == first + NOW_AGE_SECONDS_MAX
    assert tree.opened == 1
    seconds[0] += 1
    share.now()
    assert tree.opened == 2


class FoldingTree(PathTree):
    """As a folder on macOS or Windows does, for one name at a time."""

    def stat(self, place: Place) -> os.stat_result:
        (name,) = os.listdir(self.path_of(place.folder))
        if name.casefold() == place.name.casefold():
            return super().stat(place.beside(name))
        return super().stat(place)


def test_folding_is_found_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = LocalStage(tmp_path, PathTree)
    share = LocalShare(stage.roots, tree=FoldingTree(stage.roots))
    assert share.folds_names(Root.OUTBOX)
    monkeypatch.setattr(root_traits, "_try_folding", None)
    assert share.folds_names(Root.OUTBOX)
    assert os.listdir(stage.roots[Root.OUTBOX]) == []


class MovingTree(DescriptorTree):
    """In which what is created is not there, or is taken for a file, a few times."""

    troubles = (errno.ENOENT, errno.ENOTDIR, errno.ENOTDIR)

    def open(self, place: Place, flags: int) -> int:
        if flags == CREATE and self.troubles:
            number, *rest = self.troubles
            self.troubles = tuple(rest)
            raise OSError(number, os.strerror(number))
        return super().open(place, flags)


def test_what_roots_can_do_is_tried_again_while_others_remove_the_folder_for_it(
    tmp_path: Path,
) -> None:
    stage = LocalStage(tmp_path, DescriptorTree)
    tree = MovingTree(stage.roots)
    assert LocalShare(stage.roots, tree=tree).together(Root.INBOX, Root.OUTBOX)
    assert tree.troubles == ()


def test_share_can_be_made_from_paths_in_another_process(
    descriptors: LocalStage,
) -> None:
    descriptors.put(inbox("file"), b"data")
    roots = {root: os.fsdecode(path) for root, path in descriptors.roots.items()}
    copy = pickle.loads(pickle.dumps(LocalShare(roots)))
    assert copy.read(inbox("file"), 10) == b"data"
