"""Clocks, keys, loads: `seams.Clock`, `seams.Keys`, `seams.Load`, real and fake."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from fakes.clock import START, FakeClock
from fakes.small import FakeKeys, FakeLoad

from paxect_batch.model.errors import ConfigError
from paxect_batch.seams import Clock, Keys, Load
from paxect_batch.world import descriptors, load
from paxect_batch.world.clock import RealClock, lasting
from paxect_batch.world.keys import KEY_BYTES_MAX, EnvironmentKeys
from paxect_batch.world.load import Load as RealLoad


@pytest.fixture(params=[FakeClock, RealClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_clock_never_goes_back_and_sleeping_takes_time(clock: Clock) -> None:
    start, first = clock.now(), clock.monotonic()
    clock.sleep(0.002)
    assert clock.monotonic() >= first + 0.002
    assert start > 1_500_000_000
    clock.sleep(0)


def test_time_that_lasts_goes_on_as_the_clock_does() -> None:
    first = lasting()
    RealClock().sleep(0.002)
    assert lasting() - first >= 0.002


def test_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    assert clock.now() == START
    assert clock.monotonic() == clock.monotonic()
    clock.advance(5)
    clock.sleep(2)
    assert clock.now() == START + 7
    assert clock.slept == [2]
    assert FakeClock(step=1.0).now() == START + 1


def test_real_clock_is_the_systems() -> None:
    before = time.time()
    assert before <= RealClock().now() <= time.time()


# -- keys


def test_key_that_is_nowhere_is_none() -> None:
    for keys in (FakeKeys(), EnvironmentKeys({}), EnvironmentKeys({}, "")):
        found: Keys = keys
        assert found.hmac_key() is None


def test_key_is_bytes() -> None:
    environ = {"PAXECT_LINK_HMAC_KEY": "sécret"}
    for keys in (FakeKeys("sécret".encode()), EnvironmentKeys(environ)):
        found: Keys = keys
        assert found.hmac_key() == "sécret".encode()


def test_relays_own_variable_has_precedence_and_empty_ones_do_not_count() -> None:
    both = {"PAXECT_LINK_HMAC_KEY": "link", "PAXECT_BATCH_HMAC_KEY": "batch"}
    assert EnvironmentKeys(both).hmac_key() == b"batch"
    empty = {"PAXECT_LINK_HMAC_KEY": "link", "PAXECT_BATCH_HMAC_KEY": ""}
    assert EnvironmentKeys(empty).hmac_key() == b"link"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(b" the key \n")
    path.chmod(0o600)
    return path


def test_key_file_is_read_without_its_end_of_line(key_file: Path) -> None:
    assert EnvironmentKeys({}, str(key_file)).hmac_key() == b" the key "
    key_file.write_bytes(b"k\n\r\n")
    assert EnvironmentKeys({}, os.fsencode(key_file)).hmac_key() == b"k\n"
    assert (
        EnvironmentKeys({"PAXECT_LINK_HMAC_KEY": "e"}, str(key_file)).hmac_key() == b"e"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602, 0o610])
def test_key_file_that_others_may_touch_is_refused(key_file: Path, mode: int) -> None:
    if os.name == "nt":
        pytest.skip("no such modes here")
    key_file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        EnvironmentKeys({}, str(key_file)).hmac_key()
    assert str(key_file) in caught.value.message
    assert "the key" not in caught.value.message


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"x" * (KEY_BYTES_MAX + 1)])
def test_key_file_without_a_key_is_refused(key_file: Path, data: bytes) -> None:
    key_file.write_bytes(data)
    with pytest.raises(ConfigError):
        EnvironmentKeys({}, str(key_file)).hmac_key()


def test_key_file_that_is_none_is_refused(key_file: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path / "absent", tmp_path / "fifo", tmp_path):
        with pytest.raises(ConfigError) as caught:
            EnvironmentKeys({}, str(path)).hmac_key()
        assert str(path) in caught.value.message


# -- load


@pytest.mark.parametrize("made", [FakeLoad(), RealLoad()], ids=["fake", "real"])
def test_there_is_a_core_at_least(made: Load) -> None:
    assert made.cores() >= 1


class Groups:
    """Control groups as a container sees them."""

    def __init__(self, folder: Path, membership: str, cores: int = 16) -> None:
        self.folder = folder
        self.load = RealLoad(proc=str(folder), groups=str(folder / "cgroup"))
        (folder / "self").mkdir()
        (folder / "self/cgroup").write_text(membership)
        self.cores = cores

    def put(self, path: str, text: str) -> None:
        file = self.folder / "cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture(autouse=True)
def _many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_cores_allowed", lambda: 16)


@pytest.mark.parametrize(
    ("inner", "outer", "cores"),
    [
        ("max 100000", "max 100000", 16),
        ("150000 100000", "max 100000", 2),
        ("400000 100000", "300000 100000", 3),
        ("1000 100000", "max 100000", 1),
        ("9900000 100000", "max", 16),
        ("garbage", "", 16),
        ("0 0", "-1 100000", 16),
    ],
)
def test_quotas_of_all_groups_around_count(
    tmp_path: Path, inner: str, outer: str, cores: int
) -> None:
    groups = Groups(tmp_path, "0::/batch.slice/run.service\n")
    groups.put("batch.slice/run.service/cpu.max", f"{inner}\n")
    groups.put("batch.slice/cpu.max", f"{outer}\n")
    assert groups.load.cores() == cores


def test_quota_of_a_containers_own_group_is_at_the_top(tmp_path: Path) -> None:
    groups = Groups(tmp_path, "0::/\n")
    groups.put("cpu.max", "200000 100000\n")
    assert groups.load.cores() == 2


@pytest.mark.parametrize(("quota", "cores"), [("250000", 3), ("-1", 16)])
def test_quota_of_old_groups_counts(tmp_path: Path, quota: str, cores: int) -> None:
    groups = Groups(tmp_path, "3:memory:/x\n4:cpu,cpuacct:/docker/abc\nbroken\n")
    groups.put("cpu,cpuacct/docker/abc/cpu.cfs_quota_us", f"{quota}\n")
    groups.put("cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n")
    assert groups.load.cores() == cores


def test_platform_without_groups_has_its_cores(tmp_path: Path) -> None:
    assert RealLoad(proc=str(tmp_path), groups=str(tmp_path)).cores() == 16


@pytest.mark.parametrize("affinity", [True, False])
def test_cores_are_those_that_the_process_may_use(
    monkeypatch: pytest.MonkeyPatch, *, affinity: bool
) -> None:
    import psutil

    monkeypatch.undo()
    if affinity:
        allowed = len(psutil.Process().cpu_affinity())
    else:
        allowed = psutil.cpu_count()
        monkeypatch.delattr(psutil.Process, "cpu_affinity")
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert load._cores_allowed() == allowed


# -- descriptors


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ((256, 4096), (4096, 4096)),
        ((256, 1 << 20), (descriptors.WANTED, 1 << 20)),
        ((256, -1), (descriptors.WANTED, -1)),
        ((descriptors.WANTED, -1), None),
        ((-1, -1), None),
        ((1 << 20, 1 << 20), None),
    ],
)
def test_open_files_are_allowed_as_far_as_may_be(
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    wanted: tuple[int, int] | None,
) -> None:
    import resource

    asked: list[tuple[int, int]] = []

    def refuse(_what: int, pair: tuple[int, int]) -> None:
        asked.append(pair)
        raise ValueError

    monkeypatch.setattr(resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: limits)
    monkeypatch.setattr(resource, "setrlimit", refuse)
    descriptors.raise_limit()
    assert asked == ([] if wanted is None else [wanted])
