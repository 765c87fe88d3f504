"""Probes tell what happened on a share, leave nothing there, and judge nothing."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from fakes.clock import FakeClock

from paxect_batch.model.fitness import Calls, Mount, Trial
from paxect_batch.model.places import Place, Root
from paxect_batch.world import probes, probes_ground, probes_mount, renames
from paxect_batch.world.clock import RealClock
from paxect_batch.world.probes_ground import Ground
from paxect_batch.world.probes_names import NAME_BYTES_TRIED, try_names
from paxect_batch.world.share import LocalShare

MOUNT_INFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 0:40 / /mnt/my\\040share rw,nosuid - nfs4 server:/my\\040share rw,vers=4.2,hard
31 30 0:41 / /mnt/my\\040share/in ro,relatime - cifs //server/x rw,vers=3.1.1
32 22 8:2 / /mnt/twice rw - ext4 /dev/sdb1 rw
33 32 8:3 /sub /mnt/twice rw - xfs /dev/sdc1 rw,noquota
broken line
"""


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    with Ground(str(tmp_path), RealClock()) as entered:
        yield entered


def test_mounts_are_read_with_their_blanks_and_both_kinds_of_options() -> None:
    mounts = probes_mount.parse_mounts(MOUNT_INFO)
    assert len(mounts) == 5
    assert mounts[1] == Mount(
        "/mnt/my share",
        "nfs4",
        "server:/my share",
        ("rw", "nosuid", "vers=4.2", "hard"),
    )
    assert mounts[2].options == ("ro", "relatime", "vers=3.1.1")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/mnt", "ext4"),
        ("/mnt/my share", "nfs4"),
        ("/mnt/my share/inbox", "nfs4"),
        ("/mnt/my share/in/a", "cifs"),
        ("/mnt/my share/inbox2", "nfs4"),
        ("/mnt/twice/a", "xfs"),
        ("/mnt/twice2", "ext4"),
    ],
)
def test_mount_of_a_path_is_the_deepest_and_newest(path: str, kind: str) -> None:
    mounts = probes_mount.parse_mounts(MOUNT_INFO)
    found = probes_mount.mount_of(path, mounts)
    assert found is not None
    assert found.kind == kind


def test_mount_of_a_path_without_mounts_is_none() -> None:
    assert probes_mount.mount_of("/", []) is None


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc here")
def test_mount_of_a_real_folder_is_found(tmp_path: Path) -> None:
    found = probes_mount.find_mount(str(tmp_path))
    assert found is not None
    assert str(tmp_path).startswith(found.point)
    assert probes_mount.find_mount(str(tmp_path), mount_info="/nowhere") is None


def test_mounts_are_asked_of_psutil_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil  # looks at the platform itself

    assert psutil
    monkeypatch.setattr(sys, "platform", "freebsd")
    found = probes_mount.find_mount(str(tmp_path))
    assert found is not None
    assert found.kind
    assert found.options


def test_space_is_told_and_inodes_where_they_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = probes_mount.find_space(str(tmp_path))
    assert 0 < found.free_bytes <= found.total_bytes
    real = os.statvfs(tmp_path)
    unlimited = os.statvfs_result([*real[:5], 0, 0, 0, *real[8:]])
    monkeypatch.setattr(os, "statvfs", lambda _path: unlimited)
    assert probes_mount.find_space(str(tmp_path)).free_inodes is None


def test_calls_on_a_local_folder_all_hold_but_what_the_system_lacks(
    ground: Ground,
) -> None:
    calls = probes.try_calls(ground)
    broken = {
        name: getattr(calls, name)
        for name in Calls.__struct_fields__
        if not getattr(calls, name).held
    }
    assert set(broken) <= {"in_one_call", "link"}, broken


def test_ground_that_is_left_leaves_a_share_as_it_was(tmp_path: Path) -> None:
    (tmp_path / ".paxect").mkdir()
    (tmp_path / ".paxect" / "share.json").write_text("{}")
    with Ground(str(tmp_path), RealClock()) as ground:
        probes.try_calls(ground)
        try_names(ground)
        probes.measure_times(ground)
        probes.measure_speed(ground)
        assert os.listdir(tmp_path / ".paxect" / "doctor") == [ground.id]
    assert os.listdir(tmp_path) == [".paxect"]
    assert os.listdir(tmp_path / ".paxect") == ["share.json"]
    assert ground.left == []


def test_ground_on_a_plain_folder_leaves_it_plain(tmp_path: Path) -> None:
    with Ground(str(tmp_path), RealClock()):
        assert os.listdir(tmp_path) == [".paxect"]
    assert os.listdir(tmp_path) == []


def test_ground_that_is_left_leaves_others_alone(tmp_path: Path) -> None:
    with Ground(str(tmp_path), RealClock()) as one:
        with Ground(str(tmp_path), RealClock()) as two:
            assert {one.id, two.id} == set(os.listdir(one.folder))
        assert os.listdir(one.folder) == [one.id]
        probes.make(one, one.place.child("file"), b"still here")
    assert os.listdir(tmp_path) == []


def test_ground_when_told_to_end_leaves_nothing(tmp_path: Path) -> None:
    told = []

    def look_up() -> None:
        if len(told) > 5:
            raise InterruptedError
        told.append(1)

    ground = Ground(str(tmp_path), RealClock(), look_up=look_up)
    with pytest.raises(InterruptedError), ground:
        probes.try_calls(ground)
    assert os.listdir(tmp_path) == []


def test_ground_sweeps_what_was_killed_an_hour_ago_and_no_later(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ".paxect" / "doctor"
    (folder / "old" / "deep").mkdir(parents=True)
    (folder / "old" / "deep" / "file").write_bytes(b"x")
    (folder / "new").mkdir()
    (folder / "old.peer").write_bytes(b"")
    past = os.stat(folder / "new").st_mtime - probes_ground.STALE_SECONDS - 1
    for name in ("old", "old.peer"):
        os.utime(folder / name, (past, past))
    with Ground(str(tmp_path), RealClock()) as ground:
        assert set(os.listdir(folder)) == {"new", ground.id}
    assert os.listdir(folder) == ["new"]


def test_ground_tells_what_it_could_not_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    with Ground(str(tmp_path), clock) as ground:
        pass
    assert ground.left == []

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    with Ground(str(tmp_path), clock) as ground:
        monkeypatch.setattr(probes_ground, "remove_tree", refuse)
    assert ground.left == [ground.path]
    waits = probes_ground.LEAVE_TRIES_MAX - 1
    assert clock.slept == [probes_ground.LEAVE_WAIT_SECONDS] * waits


def test_ground_where_folders_vanish_is_entered_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir, refused = os.mkdir, []

    def racing(path: str, *rest: int) -> None:
        if path.endswith("doctor") and len(refused) < 3:
            refused.append(path)
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        mkdir(path, *rest)

    monkeypatch.setattr(os, "mkdir", racing)
    with Ground(str(tmp_path), RealClock()) as ground:
        assert os.path.isdir(ground.path)
    with pytest.raises(FileNotFoundError):
        Ground(str(tmp_path / "gone"), RealClock()).__enter__()
    monkeypatch.setattr(probes_ground, "ENTER_TRIES_MAX", 0)
    with pytest.raises(BlockingIOError):
        Ground(str(tmp_path), RealClock()).__enter__()
    assert os.listdir(tmp_path) == []


def test_tree_is_removed_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"x")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    probes_ground.remove_tree(str(tmp_path / "tree"))
    probes_ground.remove_tree(str(tmp_path / "never"))
    assert os.listdir(tmp_path) == ["kept"]
    assert os.listdir(tmp_path / "kept") == ["file"]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (OSError(errno.EACCES, "no"), "EACCES"),
        (OSError(99999, "odd"), "error 99999"),
        (OSError("without number"), "OSError"),
    ],
)
def test_error_becomes_a_name_and_a_trial(error: OSError, name: str) -> None:
    def act() -> None:
        raise error

    assert probes.attempt(act) == Trial(held=False, met=name)


class Odd(LocalShare):
    """A share with the manners that a test gives it."""

    def create(self, place: Place):  # type: ignore[no-untyped-def]
        if "not_exclusive" in self.manners:
            path = os.path.join(os.fsdecode(self.roots[Root.STATE]), place.path)
            return open(path, "wb", buffering=0)
        return super().create(place)

    def rename_new(self, source: Place, target: Place) -> None:
        if "replaces" in self.manners:
            self._tree.replace(source, target)
        else:
            super().rename_new(source, target)

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        if "stale" in self.manners:
            return self.stale.setdefault(place, super().read(place, bytes_max))
        return super().read(place, bytes_max)

    def entries(self, folder: Place):  # type: ignore[no-untyped-def]
        if "blind" not in self.manners:
            yield from super().entries(folder)


def odd(ground: Ground, *manners: str) -> Ground:
    """Let the ground's share have some manners from now on."""
    share = Odd(ground.share.roots)
    share.manners = manners
    share.stale = {}
    ground.share = share
    return ground


@pytest.mark.parametrize(
    ("manner", "broken"),
    [
        ("not_exclusive", {"exclusive": "two makers"}),
        ("replaces", {"kept": "the file was replaced"}),
        ("stale", {"rewritten": "the old bytes", "taken_over": "other bytes"}),
        ("blind", {"listed": "a listing without it"}),
    ],
)
def test_share_that_breaks_a_promise_is_caught(
    ground: Ground, manner: str, broken: dict[str, str]
) -> None:
    calls = probes.try_calls(odd(ground, manner))
    for name, met in broken.items():
        assert getattr(calls, name) == Trial(held=False, met=met)


def test_race_of_makers_without_exclusion_is_caught(ground: Ground) -> None:
    trial = probes.try_calls(odd(ground, "not_exclusive")).exclusive_race
    assert trial == Trial(held=False, met="several makers, or none")


def test_race_that_meets_an_error_tells_it_and_ends(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = probes.make

    def refuse(ground: Ground, place: Place, data: bytes = b"") -> None:
        if "race" in place.name:
            raise OSError(errno.EIO, "Input/output error")
        make(ground, place, data)

    monkeypatch.setattr(probes, "make", refuse)
    assert probes.try_calls(ground).exclusive_race == Trial(held=False, met="EIO")


@pytest.mark.parametrize(
    ("answer", "met"), [(None, "no such call"), (errno.EINVAL, "EINVAL")]
)
def test_rename_in_one_call_that_is_missing_is_told(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, answer: int | None, met: str
) -> None:
    monkeypatch.setattr(renames, "ask_system", lambda *_words: answer)
    assert probes.try_calls(ground).in_one_call == Trial(held=False, met=met)


@pytest.mark.skipif(sys.platform == "win32", reason="its renames have no such call")
def test_rename_in_one_call_is_asked_of_the_system(tmp_path: Path) -> None:
    if renames._system_call() is None:
        pytest.skip("no such call here")
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "taken").write_bytes(b"taken")
    assert renames.ask_system(str(tmp_path), "old", "taken") == errno.EEXIST
    assert renames.ask_system(str(tmp_path), "old", "new") == 0
    assert (tmp_path / "new").read_bytes() == b"old"


def test_lock_that_two_can_have_is_caught(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Anyone:
        def release(self) -> None:
            return

    monkeypatch.setattr(probes, "try_lock", lambda *_words, **_named: Anyone())
    calls = probes.try_calls(ground)
    assert calls.flock == calls.soft_lock == Trial(held=False, met="two owners")
    monkeypatch.setattr(probes, "try_lock", lambda *_words, **_named: None)
    assert probes.try_calls(ground).flock == Trial(held=False, met="nobody got it")


def test_lock_that_is_refused_for_permission_counts_as_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_words: str, **_named: bool) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(probes, "try_lock", refuse)
    assert probes.contend("anywhere", soft=False) is None


@pytest.mark.skipif(sys.platform != "linux", reason="names of other systems differ")
def test_names_on_linux_are_bytes_that_all_differ(ground: Ground) -> None:
    names = try_names(ground)
    assert not names.folds_case
    assert not names.folds_unicode
    assert names.keeps_unicode
    assert names.takes_bytes
    assert names.refused == ()
    assert names.bytes_max == NAME_BYTES_TRIED


def test_names_that_meet_are_refused_or_short_are_told(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, listed = os.open, os.listdir

    def open_like_others(path: bytes, *rest: int) -> int:
        name = os.path.basename(path)
        if b":" in name or len(name) > 143:
            raise OSError(errno.EINVAL, "Invalid argument")
        return opened(path, *rest)

    def list_like_others(path: bytes) -> list[bytes]:
        return [name.rstrip(b". ") for name in listed(path)]

    monkeypatch.setattr(os, "open", open_like_others)
    monkeypatch.setattr(os, "listdir", list_like_others)
    monkeypatch.setattr(os.path, "lexists", lambda _path: True)
    names = try_names(ground)
    assert names.folds_case
    assert names.folds_unicode
    assert names.bytes_max == 143
    assert names.refused == ("a:b", "end.", "end ")


def test_times_are_compared_with_this_machines(ground: Ground) -> None:
    found = probes.measure_times(ground)
    assert abs(found.ahead_seconds) < 3600
    assert found.step_ns >= 1


@pytest.mark.parametrize(
    ("kept_ns", "step_ns"),
    [
        (1_700_000_001_123_456_789, 1),
        (1_700_000_001_123_456_700, 100),
        (1_700_000_001_000_000_000, 1_000_000_000),
        (1_700_000_000_000_000_000, 2_000_000_000),
    ],
)
def test_step_of_times_is_told_by_what_is_kept(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, kept_ns: int, step_ns: int
) -> None:
    dress = LocalShare.dress

    def coarse(self: LocalShare, stream: object, *, mtime_ns: int, mode: None) -> None:
        dress(self, stream, mtime_ns=kept_ns, mode=mode)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalShare, "dress", coarse)
    assert probes.measure_times(ground).step_ns == step_ns


def test_speed_takes_one_round_at_least_and_no_more_than_its_time(
    tmp_path: Path,
) -> None:
    clock = FakeClock(step=probes.SPEED_SECONDS_MAX)
    with Ground(str(tmp_path), clock) as ground:
        assert probes.measure_speed(ground).rounds == 1
    clock = FakeClock()
    with Ground(str(tmp_path), clock) as ground:
        found = probes.measure_speed(ground)
    assert (found.rounds, found.create) == (probes.SPEED_ROUNDS_MAX, 0.0)


def test_folders_on_other_mounts_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = {}
    for root in (Root.STATE, Root.INBOX, Root.OUTBOX):
        (tmp_path / root).mkdir()
        roots[root] = str(tmp_path / root)
    assert probes.find_apart(roots) == ()
    rename_new = LocalShare._try_renaming

    def apart(self: LocalShare, one: Root, other: Root) -> bool:
        return other is not Root.OUTBOX and rename_new(self, one, other)

    monkeypatch.setattr(LocalShare, "_try_renaming", apart)
    assert probes.find_apart(roots) == ("outbox",)
