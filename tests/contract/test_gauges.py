"""What the gauges read, from the real machine and from folders like the system's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from paxect_batch.model.places import Place, Root
from paxect_batch.world import load
from paxect_batch.world.gauges import SystemGauges, memory_of_groups
from paxect_batch.world.slow_reads import SlowReads


def test_gauges_of_this_machine_are_within_what_there_is(tmp_path: Path) -> None:
    roots = {Root.INBOX: tmp_path, Root.OUTBOX: tmp_path}
    gauges = SystemGauges({root: str(path) for root, path in roots.items()})
    first, second = gauges.read(), gauges.read()
    assert 0 <= first.minute < 1440
    assert first.memory_free_bytes is not None
    assert first.memory_total_bytes is not None
    assert 0 < first.memory_free_bytes <= first.memory_total_bytes
    assert [disk.name for disk in first.disks] == ["inbox"]
    assert 0 <= first.disks[0].free_bytes <= first.disks[0].total_bytes
    assert first.busy_elsewhere is None
    assert second.busy_elsewhere is None or 0 <= second.busy_elsewhere <= 1


def test_disk_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    roots = {Root.INBOX: str(tmp_path / "gone"), Root.OUTBOX: str(tmp_path)}
    assert [disk.name for disk in SystemGauges(roots).read().disks] == ["outbox"]


def test_what_others_use_leaves_out_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = iter([(100.0, 1000.0), (160.0, 1100.0), (160.0, 1100.0)])
    own = {os.getpid(): iter([10.0, 20.0, 20.0]), 7: iter([None, 30.0, 30.0])}
    monkeypatch.setattr(load, "cpu_seconds", lambda: next(busy))
    monkeypatch.setattr(load, "cpu_seconds_of", lambda pid: next(own[pid]))
    gauges = SystemGauges({Root.INBOX: str(tmp_path)}, workers=lambda: [7])
    assert gauges.read().busy_elsewhere is None
    assert gauges.read().busy_elsewhere == pytest.approx(0.2)
    assert gauges.read().busy_elsewhere is None, "no time has passed"


def _put(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_memory_of_newer_groups_counts_cached_files_as_free(tmp_path: Path) -> None:
    _put(tmp_path, "proc/self/cgroup", "0::/box/inner\n")
    _put(tmp_path, "groups/box/memory.max", "1000\n")
    _put(tmp_path, "groups/box/memory.current", "800\n")
    _put(tmp_path, "groups/box/memory.stat", "anon 300\nactive_file 400\n")
    _put(tmp_path, "groups/box/inner/memory.max", "max\n")
    _put(tmp_path, "groups/box/inner/memory.current", "10\n")
    found = list(memory_of_groups(str(tmp_path / "proc"), str(tmp_path / "groups")))
    assert found == [(600, 1000)]


def test_memory_of_older_groups_is_read_where_it_is_limited(tmp_path: Path) -> None:
    _put(tmp_path, "proc/self/cgroup", "4:memory:/box\n0::/\n")
    _put(tmp_path, "groups/memory/box/memory.limit_in_bytes", "1000\n")
    _put(tmp_path, "groups/memory/box/memory.usage_in_bytes", "900\n")
    stat = "inactive_file 1\ntotal_inactive_file 50\ntotal_active_file 50\n"
    _put(tmp_path, "groups/memory/box/memory.stat", stat)
    _put(tmp_path, "groups/memory/memory.limit_in_bytes", "9223372036854771712\n")
    _put(tmp_path, "groups/memory/memory.usage_in_bytes", "5000\n")
    found = list(memory_of_groups(str(tmp_path / "proc"), str(tmp_path / "groups")))
    assert found == [(200, 1000)]


def test_process_that_is_gone_used_nothing() -> None:
    assert load.cpu_seconds_of(2**22 + 1) is None
    assert (load.cpu_seconds_of(os.getpid()) or 0) > 0


def test_battery_where_the_system_shows_no_devices_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        # As psutil does in a container or a chroot that has no /sys.
        raise FileNotFoundError(2, "No such file", "/sys/class/power_supply")

    monkeypatch.setattr("psutil.sensors_battery", refuse, raising=False)
    gauges = SystemGauges({Root.INBOX: str(tmp_path)})
    assert gauges.read().battery_percent is None


def test_machine_that_hides_all_but_processes_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        # As psutil does with `ProcSubset=pid`, and without /proc.
        raise FileNotFoundError(2, "No such file or directory", "/proc/stat")

    for name in ("virtual_memory", "cpu_times", "boot_time", "Process"):
        monkeypatch.setattr(f"psutil.{name}", refuse)
    gauges = SystemGauges({Root.INBOX: str(tmp_path)}, proc=str(tmp_path))
    for _ in range(2):
        found = gauges.read()
        assert found.memory_free_bytes is found.memory_total_bytes is None
        assert found.busy_elsewhere is None
        assert found.descriptors_free is None
        assert [disk.name for disk in found.disks] == ["inbox"]
    if sys.platform == "linux":
        assert load.Load().cores() >= 1
        assert load.boot_second() > 0


def test_source_is_read_no_faster_than_the_rate(tmp_path: Path) -> None:
    now = [0.0]
    data = os.urandom(10_000)
    (tmp_path / "a").write_bytes(data)

    def sleep(seconds: float) -> None:
        now[0] += seconds

    share = SlowReads(
        {Root.INBOX: str(tmp_path)},
        rate_bytes=1000,
        monotonic=lambda: now[0],
        sleep=sleep,
    )
    with share.open_source(Place(Root.INBOX, "a")) as stream:
        assert share.facts_of(stream).identity.size == 10_000
        read = b"".join(iter(lambda: stream.read(4096), b""))
        assert read == data
        assert 9.0 <= now[0] <= 10.0
        assert stream.seek(9_990) == 9_990
        assert stream.read() == data[-10:]
    assert stream.closed
