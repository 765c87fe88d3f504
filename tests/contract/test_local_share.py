"""What only the share on folders does, and what hostile folders do to it."""

from __future__ import annotations

import errno
import mmap
import os
import pickle
import shutil
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from stages import LocalStage, inbox, make_stage, outbox, refused, state

from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.world import file_systems, renames, tree_paths, writers
from paxect_batch.world.share import NOW_AGE_SECONDS_MAX, LocalShare
from paxect_batch.world.tree import CREATE, TEMP_PREFIX
from paxect_batch.world.tree_descriptors import FOLDERS_OPEN_MAX, DescriptorTree
from paxect_batch.world.tree_paths import PathTree

NOBODY = 65534


@pytest.fixture(params=["wary", "paths"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStage:
    made = make_stage(request.param, tmp_path)
    assert isinstance(made, LocalStage)
    return made


@pytest.fixture
def descriptors(tmp_path: Path) -> LocalStage:
    return LocalStage(tmp_path, DescriptorTree)


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


# -- containment


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


# -- things that are no files, and files that cannot be read


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


# -- writers

NFS = 0x6969


def local_only(stage: LocalStage) -> None:
    with open(stage.path(state("probe")), "wb") as stream:
        if not file_systems.is_local(stream.fileno()):
            pytest.skip("this file system does not tell of writers")


@pytest.fixture
def told(descriptors: LocalStage) -> LocalStage:
    if not hasattr(os, "O_PATH"):
        pytest.skip("this platform does not tell of writers")
    local_only(descriptors)
    return descriptors


def writer_of(stage: LocalStage, place: Place) -> bool | None:
    found = stage.share.look(place, closely=True)
    assert found is not None
    return found.writer


def test_writer_through_a_mapping_is_seen_after_its_descriptor_closed(
    told: LocalStage,
) -> None:
    told.put(inbox("file"), b"x" * 4096)
    with open(told.path(inbox("file")), "r+b") as stream:
        mapping = mmap.mmap(stream.fileno(), 4096)
    assert writer_of(told, inbox("file")) is True
    mapping.close()
    assert writer_of(told, inbox("file")) is False


def test_readers_are_no_writers_and_looking_keeps_nobody_out(told: LocalStage) -> None:
    told.put(inbox("file"), b"data")
    with open(told.path(inbox("file")), "rb"):
        assert writer_of(told, inbox("file")) is False
    flags = os.O_WRONLY | os.O_NONBLOCK
    os.close(os.open(told.path(inbox("file")), flags))


def test_writers_are_unknown_where_the_kernel_does_not_tell(
    told: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.put(inbox("file"), b"data")
    monkeypatch.setattr(file_systems, "_known", {})
    monkeypatch.setattr(file_systems, "_asked", lambda _fd: NFS)
    assert writer_of(told, inbox("file")) is None
    with told.open_to_write(inbox("file")):
        assert writer_of(told, inbox("file")) is None


@pytest.mark.parametrize("kind", [0xFF534D42, 0xFE534D42])
def test_times_of_an_smb_server_tell_of_no_change(
    told: LocalStage, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    """Samba lets them stand still for as long as a file is open to be written."""
    told.put(inbox("file"), b"data")
    monkeypatch.setattr(file_systems, "_known", {})
    monkeypatch.setattr(file_systems, "_asked", lambda _fd: kind)
    found = told.share.look(inbox("file"), closely=True)
    assert found is not None
    assert (found.ctime_ns, found.writer) == (None, None)


def test_writers_of_anothers_file_are_unknown(told: LocalStage) -> None:
    import fcntl

    told.put(inbox("file"), b"data")
    with told.share.open_source(inbox("file")) as stream:
        fd = stream.fileno()

        def refuse(*_args: Any) -> None:
            raise PermissionError(errno.EACCES, "not the owner")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fcntl, "fcntl", refuse)
            assert writers.has_writer(fd) is None


def test_file_system_that_cannot_be_asked_is_not_local() -> None:
    assert file_systems._asked(-1) == 0


def test_devices_known_are_bounded(
    told: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, devices_max = time.monotonic(), file_systems._DEVICES_MAX
    known = {-number: (NFS, now) for number in range(1, devices_max + 1)}
    monkeypatch.setattr(file_systems, "_known", known)
    told.put(inbox("file"), b"data")
    assert writer_of(told, inbox("file")) is False
    assert len(known) == 1


# -- renames


def with_call(monkeypatch: pytest.MonkeyPatch, number: int | None) -> None:
    call = None if number is None else lambda *_args: number
    monkeypatch.setattr(renames, "_system_call", lambda: call)


@pytest.mark.parametrize("number", [None, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_rename_where_the_call_is_missing_looks_and_renames(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    with_call(monkeypatch, number)
    descriptors.put(state("one"), b"one")
    descriptors.put(outbox("taken"), b"old")
    with pytest.raises(FileExistsError):
        descriptors.share.rename_new(state("one"), outbox("taken"))
    descriptors.share.rename_new(state("one"), outbox("new"))
    assert descriptors.get(outbox("new")) == b"one"
    assert descriptors.get(outbox("taken")) == b"old"


def test_rename_passes_the_calls_error_on(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_call(monkeypatch, errno.EIO)
    descriptors.put(state("one"), b"one")
    with refused(errno.EIO):
        descriptors.share.rename_new(state("one"), outbox("new"))


def test_system_without_such_a_call_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renames.sys, "platform", "sunos")
    assert renames._system_call.__wrapped__() is None


def test_library_without_such_a_call_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # The name that macOS has, which Linux has not, and the other way round.
    other = "darwin" if renames.sys.platform == "linux" else "linux"
    monkeypatch.setattr(renames.sys, "platform", other)
    assert renames._system_call.__wrapped__() is None


@pytest.mark.parametrize("tree", [DescriptorTree, PathTree])
def test_roots_on_two_file_systems_are_not_together(
    tmp_path: Path, tree: type[DescriptorTree | PathTree]
) -> None:
    shm = "/dev/shm"
    if not os.path.isdir(shm) or os.stat(shm).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("no second file system here")
    stage = LocalStage(tmp_path, tree)
    with tempfile.TemporaryDirectory(dir=shm) as other:
        roots = {**stage.roots, Root.OUTBOX: os.fsencode(other)}
        share = LocalShare(roots, tree=tree(roots))
        assert not share.together(Root.STATE, Root.OUTBOX)
        assert share.together(Root.STATE, Root.WIRE)
        stage.put(state("file"), b"data")
        with refused(errno.EXDEV):
            share.rename_new(state("file"), outbox("file"))
        assert os.listdir(other) == []
        assert stage.get(state("file")) == b"data"


def test_together_passes_other_errors_on(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_call(monkeypatch, errno.EIO)
    with refused(errno.EIO):
        descriptors.share.together(Root.STATE, Root.OUTBOX)
    assert os.listdir(descriptors.roots[Root.STATE]) == []


# -- durable writing


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    stage: LocalStage,
) -> None:
    stage.share.write(state("file"), b"old")
    with file_size_limit(1000), refused(errno.EFBIG):
        stage.share.write(state("file"), b"new" * 1000)
    assert stage.get(state("file")) == b"old"
    assert os.listdir(stage.roots[Root.STATE]) == [b"file"]


def test_write_waits_for_readers_that_keep_the_name_for_a_moment(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    replace = os.replace
    refusals = [PermissionError(errno.EACCES, "in use")] * 3

    def busy(*args: Any, **more: Any) -> None:
        if refusals:
            raise refusals.pop()
        replace(*args, **more)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(time, "sleep", waits.append)
    stage.share.write(state("file"), b"new")
    assert stage.get(state("file")) == b"new"
    assert len(waits) == 3


def test_write_gives_up_when_the_name_stays_in_use(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: Any, **_more: Any) -> None:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with refused(errno.EACCES):
        stage.share.write(state("file"), b"new")
    assert os.listdir(stage.roots[Root.STATE]) == []


def test_write_whose_temporary_file_cannot_be_dropped_tells_the_first_error(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise OSError(errno.EROFS, "read-only")

    def sync(_fd: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "unlink", fail)
    monkeypatch.setattr(os, "fsync", sync)
    with refused(errno.EIO):
        stage.share.write(state("file"), b"new")
    (left,) = os.listdir(stage.roots[Root.STATE])
    assert left.startswith(TEMP_PREFIX.encode())
    assert left.endswith(b".tmp")


def test_folder_that_cannot_be_synced_is_fine_but_a_broken_one_is_not(
    descriptors: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [errno.EIO, errno.ENOTSUP, errno.EINVAL]

    def sync(_fd: int) -> None:
        raise OSError(numbers.pop(), "sync")

    monkeypatch.setattr(os, "fsync", sync)
    descriptors.share.sync_folder(state(""))
    descriptors.share.sync_folder(state(""))
    with refused(errno.EIO):
        descriptors.share.sync_folder(state(""))


def test_sync_folder_of_a_file_is_refused(stage: LocalStage) -> None:
    stage.put(state("file"), b"")
    with refused(errno.ENOTDIR):
        stage.share.sync_folder(state("file"))


def test_folder_made_by_another_meanwhile_is_fine(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = stage.share._tree
    make = tree.make

    def raced(folder: Place) -> None:
        make(folder)
        make(folder)

    monkeypatch.setattr(tree, "make", raced)
    stage.share.make_folder(state("a"))
    assert os.path.isdir(stage.path(state("a")))


@pytest.mark.skipif(os.name != "posix", reason="Windows has no stale handles")
@pytest.mark.parametrize("stage", ["wary"], indirect=True)
def test_folder_that_another_client_removed_and_made_anew_is_found_again(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What NFS answers for the old one, as long as a client holds on to it."""
    stage.put(inbox("a/file"), b"data")
    assert stage.share.look(inbox("a/file")) is not None
    stat, times = os.stat, [0]

    def once_stale(path: Any, **more: Any) -> os.stat_result:
        if path in ("file", b"file") and not times[0]:
            times[0] += 1
            raise OSError(errno.ESTALE, "stale file handle")
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", once_stale)
    assert stage.share.look(inbox("a/file")) is not None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no stale handles")
@pytest.mark.parametrize("stage", ["wary"], indirect=True)
def test_file_that_stays_stale_on_a_share_that_is_there_is_gone(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.put(inbox("a/file"), b"data")
    stat = os.stat

    def stale(path: Any, **more: Any) -> os.stat_result:
        if path in ("file", b"file"):
            raise OSError(errno.ESTALE, "stale file handle")
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", stale)
    assert stage.share.look(inbox("a/file")) is None


@pytest.mark.parametrize("operation", ["freshen", "entries", "remove", "read", "look"])
def test_error_of_the_system_passes_unchanged(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    stage.put(inbox("file"), b"data")

    def stale(*_args: Any, **_more: Any) -> None:
        raise OSError(errno.ESTALE, "stale file handle")

    for name in ("open", "unlink", "scandir", "stat", "lstat"):
        monkeypatch.setattr(os, name, stale)
    act = {
        "freshen": lambda: stage.share.freshen(inbox("")),
        "entries": lambda: list(stage.share.entries(inbox(""))),
        "remove": lambda: stage.share.remove(inbox("file")),
        "read": lambda: stage.share.read(inbox("file"), 10),
        "look": lambda: stage.share.look(inbox("file")),
    }[operation]
    with refused(errno.ESTALE):
        act()


def test_remove_folder_passes_other_errors_on(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(os, "rmdir", fail)
    with refused(errno.EROFS):
        stage.share.remove_folder(inbox("folder"))


# -- time and names


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
    monkeypatch.setattr(share, "_try_folding", None)
    assert share.folds_names(Root.OUTBOX)
    assert os.listdir(stage.roots[Root.OUTBOX]) == []


def test_share_can_be_made_from_paths_in_another_process(
    descriptors: LocalStage,
) -> None:
    descriptors.put(inbox("file"), b"data")
    roots = {root: os.fsdecode(path) for root, path in descriptors.roots.items()}
    copy = pickle.loads(pickle.dumps(LocalShare(roots)))
    assert copy.read(inbox("file"), 10) == b"data"


# -- paths as Windows has them


def sharing_violation() -> OSError:
    error = PermissionError(errno.EACCES, "used by another process")
    error.winerror = 32  # type: ignore[attr-defined]
    return error


def test_sharing_violation_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = LocalStage(tmp_path, PathTree)
    stage.put(inbox("file"), b"")
    unlink = os.unlink
    refusals = [sharing_violation() for _ in range(tree_paths.SHARING_TRIES_MAX - 1)]

    def busy(path: str) -> None:
        if refusals:
            raise refusals.pop()
        unlink(path)

    monkeypatch.setattr(os, "unlink", busy)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert stage.share.remove(inbox("file"))


def test_sharing_violation_that_stays_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = LocalStage(tmp_path, PathTree)

    def busy(_path: str) -> None:
        raise sharing_violation()

    monkeypatch.setattr(os, "unlink", busy)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with refused(errno.EACCES):
        stage.share.remove(inbox("file"))


@pytest.mark.parametrize(
    ("path", "literal"),
    [
        ("C:\\share", "\\\\?\\C:\\share"),
        ("\\\\server\\share", "\\\\?\\UNC\\server\\share"),
        ("\\\\?\\C:\\share", "\\\\?\\C:\\share"),
    ],
)
def test_windows_takes_names_literally(path: str, literal: str) -> None:
    assert tree_paths.literal_on_windows(path) == literal
